// The list of conversations: open, begin, rename, delete.

import { byId, confirmed, el, icon, iconButton } from "./element.js";
import { Failure } from "./endpoint.js";
import { daysAgo } from "./when.js";

const PAGE = 30;
const UNTITLED = "New conversation";
// The server's limit for a title.
const LONGEST_TITLE = 200;

/**
 * The list. `hooks`: `endpoint()`, `failed(failure)`, `open(id)` with `undefined` for a new one, `gone(id)` after a
 * deletion, `named(title)` when the title of the open one is known.
 */
export class Conversations {
  #hooks;
  #list = byId("conversation-list");
  #all = [];
  #loaded = false;
  #shown;
  #renaming = false;
  #after;
  #current;

  constructor(hooks) {
    this.#hooks = hooks;
  }

  clear() {
    this.#all = [];
    this.#loaded = false;
    this.#after = undefined;
    this.#shown = undefined;
    this.#renaming = false;
    this.#list.replaceChildren();
  }

  /** Marks a conversation as the open one. */
  select(id) {
    this.#current = id;
    this.#draw();
  }

  /** Fetches the newest again, as far as was shown. */
  async refresh() {
    await this.#trying(async (endpoint) => {
      const page = await fetched(endpoint);
      return () => {
        const known = new Set(page.data.map((thread) => thread.id));
        const older = page.has_more ? this.#all.filter((thread) => !known.has(thread.id)) : [];
        this.#after = older.length > 0 ? this.#after : page.has_more && page.after;
        this.#all = [...page.data, ...older];
        this.#loaded = true;
      };
    });
  }

  async #more() {
    await this.#trying(async (endpoint) => {
      const page = await fetched(endpoint, this.#after);
      return () => {
        this.#after = page.has_more && page.after;
        this.#all.push(...page.data);
      };
    });
  }

  async #trying(request) {
    const endpoint = this.#hooks.endpoint();
    try {
      const done = await request(endpoint);
      // Someone signed out, or another one in, while this was on its way.
      if (endpoint !== this.#hooks.endpoint()) return;
      done?.();
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      this.#hooks.failed(failure);
    }
    this.#draw();
  }

  #draw() {
    const shown = JSON.stringify([this.#all, this.#current, this.#after, this.#loaded]);
    // A list drawn anew would swallow a click on its way, or throw away a title half written.
    if (shown === this.#shown || this.#renaming) return;
    this.#shown = shown;
    const focused = this.#focused();
    const groups = Map.groupBy(this.#all, (thread) => age(thread.created_at));
    const parts = [...groups].flatMap(([title, threads]) => [
      el("h3", { class: "over-list" }, title),
      el("ul", null, threads.map((thread) => this.#row(thread))),
    ]);
    if (this.#loaded && this.#all.length === 0) parts.push(el("p", { class: "quiet" }, "What you talk about is kept here."));
    if (this.#after) parts.push(el("button", { type: "button", class: "earlier", click: () => this.#more() }, "Show older"));
    this.#list.replaceChildren(...parts);
    if (focused) this.#refocus(focused);
    const open = this.#all.find((thread) => Number(thread.id) === this.#current);
    this.#hooks.named(open ? open.title || UNTITLED : UNTITLED);
  }

  /** Where the keyboard is in the list, so that a new list does not throw it out. */
  #focused() {
    const row = document.activeElement?.closest?.("[data-conversation]");
    return row && { id: row.dataset.conversation, at: [...this.#list.querySelectorAll("[data-conversation]")].indexOf(row) };
  }

  #refocus({ id, at }) {
    const rows = [...this.#list.querySelectorAll("[data-conversation]")];
    const row = rows.find((other) => other.dataset.conversation === id) ?? rows[Math.min(at, rows.length - 1)];
    (row?.querySelector("button") ?? document.querySelector("#conversations [data-new]")).focus();
  }

  #row(thread) {
    const id = Number(thread.id);
    const title = thread.title || UNTITLED;
    const row = el("li", { "data-conversation": thread.id });
    const open = el("button", { type: "button", class: "conversation", title, "aria-current": id === this.#current && "page", click: () => this.#hooks.open(id) }, title);
    const rename = iconButton("edit", `Rename “${title}”`, () => this.#rename(row, thread));
    const remove = iconButton("trash", `Delete “${title}”`, () => this.#delete(thread));
    row.append(open, el("span", { class: "row-actions" }, rename, remove));
    return row;
  }

  #rename(row, thread) {
    const box = el("input", { type: "text", "aria-label": "New title", maxlength: LONGEST_TITLE, autocomplete: "off" });
    box.value = thread.title ?? "";
    const back = () => {
      this.#renaming = false;
      this.#shown = undefined;
      this.#draw();
    };
    const save = async (event) => {
      event.preventDefault();
      const title = box.value.trim();
      if (title !== "" && title !== thread.title) await this.#retitle(thread, title);
      back();
    };
    const escaped = (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      back();
    };
    this.#renaming = true;
    row.replaceChildren(el("form", { class: "rename", submit: save, keydown: escaped }, box,
      el("button", { type: "submit", class: "icon-button", "aria-label": "Save the title", title: "Save" }, icon("check")),
      iconButton("close", "Keep the old title", back)));
    box.focus();
    box.select();
  }

  #retitle(thread, title) {
    return this.#trying(async (endpoint) => {
      await endpoint.ask("threads.update", { thread_id: thread.id, title });
      return () => {
        // The list may have been fetched again while the title was written.
        for (const known of this.#all) if (known.id === thread.id) known.title = title;
      };
    });
  }

  async #delete(thread) {
    const title = thread.title || UNTITLED;
    const sure = await confirmed("Delete this conversation?", `“${title}” will be gone for good. Your tasks stay as they are.`, "Delete");
    if (!sure) return;
    await this.#trying(async (endpoint) => {
      await endpoint.ask("threads.delete", { thread_id: thread.id });
      return () => {
        this.#all = this.#all.filter((other) => other.id !== thread.id);
        this.#hooks.gone(Number(thread.id));
      };
    });
  }
}

function fetched(endpoint, after) {
  return endpoint.ask("threads.list", { limit: PAGE, order: "desc", ...(after && { after }) });
}

function age(createdAt) {
  const days = daysAgo(createdAt);
  if (days <= 0) return "Today";
  if (days === 1) return "Yesterday";
  return days < 7 ? "Last 7 days" : "Older";
}
