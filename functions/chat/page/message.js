// How a message, an answer and a tool call look.

import { el, icon } from "./element.js";
import { markdown } from "./markdown.js";

// The arguments of `list_tasks` that say which tasks were asked for.
const ASKED_FOR = ["status", "priority", "tags", "search"];

/** What the person said, with what became of it. */
export class Said {
  #foot = el("div", { class: "said-foot" });
  #countdown;

  constructor(text) {
    this.text = text;
    this.element = el("article", { class: "said" }, el("h2", { class: "unseen" }, "You"), el("p", { class: "bubble" }, text), this.#foot);
  }

  /** Behind another message. */
  waiting() {
    this.#state("waiting", "Waiting for the answer before it");
  }

  /** On its way, or arrived. */
  sent() {
    this.#state("sent");
  }

  /** Not taken by the server: it stays here with a way to try again or to change it. */
  failed(failure, again, edit) {
    const retry = el("button", { type: "button", class: "link", click: again }, "Try again");
    const change = el("button", { type: "button", class: "link", click: edit }, "Edit");
    this.#state("failed", icon("alert"), el("span", { role: "alert" }, `Not sent. ${failure.message}`), retry, change);
    if (failure.retryAfter > 0) this.#countDown(retry, Math.min(failure.retryAfter, 3600));
  }

  #state(name, ...foot) {
    clearInterval(this.#countdown);
    this.element.dataset.state = name;
    this.#foot.replaceChildren(...foot);
  }

  #countDown(button, seconds) {
    const tick = () => {
      button.disabled = seconds > 0;
      button.textContent = seconds > 0 ? `Try again in ${seconds} s` : "Try again";
      if (seconds <= 0) clearInterval(this.#countdown);
      seconds -= 1;
    };
    this.#countdown = setInterval(tick, 1000);
    tick();
  }
}

/** What the assistant said and did, as it comes or as it was. Text and tool calls stand in the order they happened. */
export class Answer {
  #calls = new Map();
  #texts = [];
  #frame;
  #thinking = el("p", { class: "thinking" }, el("span", { class: "unseen" }, "Thinking"), el("i"), el("i"), el("i"));

  constructor() {
    this.element = el("article", { class: "answer", "aria-busy": "true" }, el("h2", { class: "unseen" }, "Assistant"), this.#thinking);
  }

  /** The next piece of text. */
  delta(text) {
    this.#open().text += text;
    this.#frame ??= requestAnimationFrame(() => this.#draw());
  }

  /** A tool is called: `{id, name, arguments}`; of a stored call only `about`, its result in words, is known. */
  call(call) {
    this.#draw();
    this.#tools().append(this.#chip(call).element);
  }

  /** A tool answered: `{id, name, result, is_error}`. */
  result({ id, name, result, is_error: isError }) {
    const chip = this.#calls.get(id) ?? this.#chip({ id, name });
    if (!chip.element.isConnected && !chip.element.parentElement) this.#tools().append(chip.element);
    chip.finished(result, isError);
  }

  /** The whole answer is `text`; nothing more comes. */
  finish(text) {
    const shown = this.#texts.map((part) => part.text).join("");
    if (text && squeezed(shown) !== squeezed(text) && squeezed(this.#texts.at(-1)?.text) !== squeezed(text)) {
      this.#open().text = text;
    }
    this.#end();
  }

  /** The answer is a question: buttons for the usual replies. Any other words do as well. */
  choices(choices, choose) {
    const buttons = choices.map((choice) => el("button", { type: "button", click: () => choose(choice) }, choice));
    this.element.append(el("div", { class: "choices", role: "group", "aria-label": "Answer" }, buttons));
  }

  /** The answer ended early: says so, with a button for what can be done about it. */
  broke(message, label, action) {
    this.#end();
    const button = label && el("button", { type: "button", class: "link", click: action }, label);
    this.element.append(el("p", { class: "broke", role: "alert" }, icon("alert"), el("span", null, message), button));
  }

  #end() {
    this.#draw();
    this.#thinking.remove();
    for (const chip of this.#calls.values()) chip.abandoned();
    this.element.setAttribute("aria-busy", "false");
  }

  /** The text after the last tool call, made when there is none. */
  #open() {
    const last = this.#texts.at(-1);
    if (last && last.element === this.#lastPart()) return last;
    const part = { text: "", element: el("div", { class: "prose" }) };
    this.#texts.push(part);
    this.#thinking.before(part.element);
    return part;
  }

  #tools() {
    const last = this.#lastPart();
    if (last?.classList.contains("tools")) return last;
    const tools = el("div", { class: "tools", role: "group", "aria-label": "What was done" });
    this.#thinking.before(tools);
    return tools;
  }

  #lastPart() {
    return this.#thinking.previousElementSibling;
  }

  #chip(call) {
    const chip = new Chip(call);
    this.#calls.set(call.id, chip);
    return chip;
  }

  #draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
    const part = this.#texts.at(-1);
    if (part && part.drawn !== part.text) part.element.replaceChildren(...markdown(part.text));
    if (part) part.drawn = part.text;
  }
}

/** A tool call: its name and what it was about; opened, its arguments and its result. */
class Chip {
  #mark = el("span", { class: "chip-mark" });
  #state = el("span", { class: "unseen" });
  #body;

  constructor({ name, arguments: given, about = subject(given) }) {
    this.#body = el("div", { class: "chip-body" }, section("Arguments", given));
    const summary = el("summary", null, this.#mark, el("code", null, name), about && el("span", { class: "chip-about" }, about), this.#state, icon("chevron"));
    this.element = el("details", { class: "chip" }, summary, this.#body);
    this.#show("running", "is running");
  }

  finished(result, isError) {
    this.#show(isError ? "failed" : "done", isError ? "failed" : "done", icon(isError ? "alert" : "check"));
    this.#body.append(...[section(isError ? "Problem" : "Result", result)].filter(Boolean));
  }

  /** The turn ended without a word of this call. */
  abandoned() {
    if (this.element.dataset.state === "running") this.#show("unknown", "has no result", icon("alert"));
  }

  #show(state, spoken, ...mark) {
    this.element.dataset.state = state;
    this.#state.textContent = spoken;
    this.#mark.replaceChildren(...mark);
  }
}

function section(title, value) {
  if (value === undefined || value === null) return undefined;
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return el("div", null, el("h3", null, title), el("pre", { tabindex: "0", role: "group", "aria-label": title }, text));
}

/** What a call is about, in a few words: the title, the number, or what was asked for. */
function subject(given) {
  if (typeof given !== "object" || given === null) return undefined;
  const { task_id: id, title } = given;
  if (id !== undefined) return title ? `${id} · ${title}` : String(id);
  return title ?? (ASKED_FOR.map((name) => given[name]).flat().filter(Boolean).join(", ") || undefined);
}

function squeezed(text) {
  return (text ?? "").replace(/\s+/g, "");
}
