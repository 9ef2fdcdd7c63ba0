// The box one writes in. What stands in it survives reloads, errors and signing in again, per person.

import { byId } from "./element.js";

// The server's limit, in characters as it counts them (code points).
const LONGEST = 8_000;
// From here on the count is shown.
const LONG = 7_000;

/** The message box. `hooks`: `send(text)`, `stop()`. */
export class Composer {
  #form = byId("composer");
  #box = byId("message");
  #count = byId("composer-count");
  #key;
  #unsent = [];

  constructor(hooks) {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send(hooks);
    });
    this.#box.addEventListener("input", () => this.#changed());
    this.#box.addEventListener("keydown", (event) => {
      // While an input method composes, Enter picks a word.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#form.requestSubmit();
    });
    byId("stop").addEventListener("click", () => hooks.stop());
    new ResizeObserver(() => this.#grow()).observe(this.#form);
  }

  /** Begins for a person, with what they left unsent. */
  begin(userId) {
    this.#key = `todo.draft.${userId}`;
    this.#unsent = [];
    this.#box.value = sessionStorage.getItem(this.#key) ?? "";
    this.#changed();
  }

  /** Forgets the person and what they wrote. */
  clear() {
    if (this.#key) sessionStorage.removeItem(this.#key);
    this.#key = undefined;
    this.#unsent = [];
    this.#box.value = "";
    this.#changed();
  }

  /** Messages on their way or failed: kept with the draft until the server has them. */
  keep(unsent) {
    this.#unsent = unsent;
    this.#remember();
  }

  /** Puts text in the box, after what already stands there, for the person to finish and send. */
  suggest(text) {
    const before = this.#box.value.trim();
    this.#box.value = before && before !== text.trim() ? `${before}\n${text}` : text;
    this.#changed();
    this.focus();
    this.#box.setSelectionRange(this.#box.value.length, this.#box.value.length);
  }

  focus() {
    this.#box.focus();
  }

  /** Shows the stop button while an answer comes. Sending stays possible: the message waits its turn. */
  busy(busy) {
    byId("stop").hidden = !busy;
    this.#form.classList.toggle("busy", busy);
  }

  #send(hooks) {
    const text = this.#box.value.trim();
    if (text === "" || length(text) > LONGEST) return;
    this.#box.value = "";
    this.#changed();
    hooks.send(text);
  }

  #changed() {
    const characters = length(this.#box.value.trim());
    const over = characters - LONGEST;
    this.#count.textContent = over > 0 ? `${over.toLocaleString("en")} too long` : characters >= LONG ? `${(-over).toLocaleString("en")} left` : "";
    this.#count.classList.toggle("problem", over > 0);
    this.#box.setAttribute("aria-invalid", String(over > 0));
    byId("send").disabled = characters === 0 || over > 0;
    this.#grow();
    this.#remember();
  }

  #grow() {
    this.#box.style.height = "auto";
    this.#box.style.height = `${this.#box.scrollHeight}px`;
  }

  #remember() {
    if (!this.#key) return;
    const text = [...this.#unsent, this.#box.value].filter((part) => part.trim() !== "").join("\n");
    if (text) sessionStorage.setItem(this.#key, text);
    else sessionStorage.removeItem(this.#key);
  }
}

function length(text) {
  return [...text].length;
}
