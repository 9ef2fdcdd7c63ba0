// The pane of tasks. It only reads: every change is a sentence said in the conversation.

import { byId, el, icon } from "./element.js";
import { Failure } from "./endpoint.js";
import { matches, taskRow } from "./task.js";
import { dueOf, dueOrder } from "./when.js";

const PAGE = 200;
// A turn with several tool calls asks for the list once.
const GATHER_MS = 60;
// While the live connection tells of changes, the list is asked for only when it has told of none for this long.
const LATE_MS = 2_000;
// "Today" and "overdue" move on while the page is open.
const CLOCK_MS = 60_000;
const GROUPS = { overdue: "Overdue", today: "Today", tomorrow: "Tomorrow", week: "Next 7 days", later: "Later", none: "No date", completed: "Completed" };
const ORDERS = { pending: { sort: "due", order: "asc" }, completed: { sort: "completed", order: "desc" } };

/** The pane. `hooks`: `endpoint()`, `failed(failure)`, `say(sentence)`, `suggest(beginning)`. */
export class Tasks {
  #hooks;
  #list = byId("task-list");
  #search = byId("search");
  #pages = {};
  #before = new Map();
  #shown;
  #problem;
  #gathering;
  #asked = 0;
  // Whether changes come by themselves, and which events' changes are in the lists already.
  #live = false;
  #included = 0;
  #applied = new Map();

  constructor(hooks) {
    this.#hooks = hooks;
    for (const choice of document.getElementsByName("status")) choice.addEventListener("change", () => this.#choose());
    this.#search.addEventListener("input", () => this.#draw());
    this.#search.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.#search.value === "") return;
      event.stopPropagation();
      this.#search.value = "";
      this.#draw();
    });
    setInterval(() => Object.keys(this.#pages).length > 0 && this.#draw(), CLOCK_MS);
  }

  clear() {
    // What is still on its way belongs to whoever was here.
    this.#asked += 1;
    clearTimeout(this.#gathering);
    this.#pages = {};
    this.#included = 0;
    this.#applied.clear();
    this.#before.clear();
    this.#problem = undefined;
    this.#search.value = "";
    this.#draw();
  }

  /** Fetches the tasks again soon; calls close together are one. */
  refresh() {
    clearTimeout(this.#gathering);
    this.#gathering = setTimeout(() => this.#fetch(), this.#live && this.#loaded ? LATE_MS : GATHER_MS);
    if (!this.#loaded) this.#draw();
  }

  /** Whether changes come by themselves from now on. */
  live(up) {
    this.#live = up;
    const sign = byId("tasks-live");
    sign.hidden = !up;
    sign.setAttribute("aria-label", up ? "Live: changes from elsewhere appear at once" : "Not live");
    sign.title = sign.getAttribute("aria-label");
  }

  /** The lists as the live connection begins; what is still on its way is older. */
  snapshot({ sequence, pending, completed }) {
    this.#heard();
    this.#pages = { pending, completed };
    this.#included = sequence;
    this.#applied.clear();
    this.#problem = undefined;
    this.#draw();
  }

  /** A change from the live connection. One that the lists have already, or that came later than a newer one, changes nothing. */
  change({ sequence, task_id: id, task }) {
    this.#heard();
    if (sequence <= Math.max(this.#included, this.#applied.get(id) ?? 0)) return;
    this.#applied.set(id, sequence);
    for (const page of Object.values(this.#pages)) page.data = page.data.filter((other) => other.id !== id);
    if (task) this.#insert(task);
    this.#draw();
  }

  #heard() {
    clearTimeout(this.#gathering);
    this.#asked += 1;
  }

  /** Puts a task where it belongs among those that are loaded; behind their end, "Show more" brings it. */
  #insert(task) {
    const page = this.#pages[task.completed ? "completed" : "pending"];
    if (!page) return;
    const before = task.completed ? (other) => (other.completed_at ?? "") < (task.completed_at ?? "")
      : (other) => dueOrder(other) > dueOrder(task) || (dueOrder(other) === dueOrder(task) && other.id > task.id);
    const at = page.data.findIndex(before);
    if (at === -1 && page.has_more) return;
    page.data.splice(at === -1 ? page.data.length : at, 0, task);
  }

  /** Another filter: what is at hand is shown at once. */
  #choose() {
    this.#draw();
    if (!this.#live || !this.#loaded) this.refresh();
  }

  get #status() {
    return document.querySelector("input[name=status]:checked").value;
  }

  get #loaded() {
    return this.#kinds.every((kind) => this.#pages[kind]);
  }

  /** The lists the filter needs. The pending ones always: their number is shown whatever is filtered. */
  get #kinds() {
    return this.#status === "pending" ? ["pending"] : ["pending", "completed"];
  }

  async #fetch() {
    if (!this.#hooks.endpoint()) return;
    const asked = ++this.#asked;
    try {
      const kinds = this.#kinds;
      const pages = await Promise.all(kinds.map((kind) => this.#page(kind)));
      // Someone asked again, or signed out, while this was on its way.
      if (asked !== this.#asked) return;
      this.#pages = { ...this.#pages, ...Object.fromEntries(kinds.map((kind, i) => [kind, pages[i]])) };
      this.#problem = undefined;
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (asked !== this.#asked) return;
      this.#problem = failure;
      this.#hooks.failed(failure);
    }
    this.#draw();
  }

  async #more(kind) {
    try {
      const page = await this.#page(kind, this.#pages[kind].after);
      const known = new Set(this.#pages[kind].data.map((task) => task.id));
      this.#pages[kind] = { ...page, data: [...this.#pages[kind].data, ...page.data.filter((task) => !known.has(task.id))] };
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      this.#hooks.failed(failure);
    }
    this.#draw();
  }

  #page(kind, cursor) {
    return this.#hooks.endpoint().ask("tasks.list", { status: kind, ...ORDERS[kind], limit: PAGE, ...(cursor && { cursor }) });
  }

  #draw() {
    const status = this.#status;
    const wanted = status === "all" ? ["pending", "completed"] : [status];
    const loaded = wanted.every((kind) => this.#pages[kind]);
    for (const row of this.#list.querySelectorAll(".task[aria-busy]")) row.removeAttribute("aria-busy");
    if (this.#unchanged(wanted)) return;
    const focus = this.#focused();
    this.#count();
    if (loaded) this.#list.replaceChildren(...this.#problemNote(), ...this.#groups(wanted), ...this.#buttons(wanted));
    else if (this.#problem) this.#list.replaceChildren(...this.#problemNote());
    else this.#list.replaceChildren(loading());
    this.#list.setAttribute("aria-busy", String(!loaded && !this.#problem));
    if (focus) this.#refocus(focus);
  }

  /** Whether what is shown is what would be drawn: a row replaced under a finger or a mouse would swallow the click. */
  #unchanged(wanted) {
    const due = wanted.flatMap((kind) => this.#pages[kind]?.data ?? []).map((task) => dueOf(task));
    const shown = JSON.stringify([this.#status, this.#pages, due, this.#search.value, this.#problem?.message]);
    const same = shown === this.#shown;
    this.#shown = shown;
    return same;
  }

  #count() {
    const { data, has_more: more } = this.#pages.pending ?? {};
    const badge = byId("tab-count");
    byId("tasks-count").textContent = data ? `${data.length}${more ? "+" : ""} pending` : "";
    badge.textContent = data ? `${data.length}${more ? "+" : ""}` : "";
    badge.hidden = !data?.length;
  }

  #groups(wanted) {
    const words = this.#search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const now = new Date();
    const tasks = wanted.flatMap((kind) => this.#pages[kind].data);
    const found = tasks.filter((task) => matches(task, words));
    const groups = Map.groupBy(found, (task) => (task.completed ? "completed" : dueOf(task, now).group));
    const changed = this.#changes(tasks);
    if (found.length === 0) return [this.#empty(tasks.length > 0)];
    return Object.keys(GROUPS).filter((group) => groups.has(group)).map((group) => el("section", { class: "group", "data-group": group, "aria-labelledby": `group-${group}` },
      el("h3", { class: "over-list", id: `group-${group}` }, GROUPS[group], " ", el("span", { class: "quiet" }, String(groups.get(group).length))),
      el("ul", null, groups.get(group).map((task) => this.#row(task, changed)))));
  }

  #row(task, changed) {
    const row = taskRow(task, this.#hooks);
    row.classList.toggle("changed", changed.has(task.id));
    return row;
  }

  /** The tasks that are new or different since the list was last drawn under the same filter, to be lit up for a moment. */
  #changes(tasks) {
    const now = new Map(tasks.map((task) => [task.id, JSON.stringify(task)]));
    const before = this.#before.get(this.#status);
    this.#before.set(this.#status, now);
    return new Set(before && [...now.keys()].filter((id) => before.get(id) !== now.get(id)));
  }

  #empty(hidden) {
    const [title, text] = hidden ? ["Nothing found", "No task here has these words in its title, notes or tags."]
      : this.#status === "completed" ? ["Nothing completed yet", "What you finish is kept here."]
      : ["Nothing to do", "Mention a task in the conversation and it appears here."];
    return el("div", { class: "empty" }, icon(hidden ? "search" : "check"), el("h3", null, title), el("p", null, text));
  }

  #buttons(wanted) {
    return wanted.filter((kind) => this.#pages[kind].has_more).map((kind) =>
      el("button", { type: "button", class: "earlier", click: () => this.#more(kind) }, `Show more ${kind} tasks`));
  }

  #problemNote() {
    // Away from the network, the notice over the page says it already.
    if (!this.#problem || (this.#problem.kind === "offline" && this.#pages.pending)) return [];
    const text = this.#pages.pending ? "These may be out of date." : "Your tasks could not be loaded.";
    return [el("div", { class: "problem-panel" }, icon("alert"), el("p", null, `${text} ${this.#problem.message}`),
      el("button", { type: "button", click: () => this.refresh() }, "Try again"))];
  }

  /** Where the keyboard is in the list, so that a new list does not throw it out. */
  #focused() {
    const control = document.activeElement?.closest?.("#task-list [data-control]");
    const row = control?.closest("[data-task]");
    if (!row) return undefined;
    const rows = [...this.#list.querySelectorAll("[data-task]")];
    return { id: row.dataset.task, control: control.dataset.control, at: rows.indexOf(row) };
  }

  #refocus({ id, control, at }) {
    const rows = [...this.#list.querySelectorAll("[data-task]")];
    const row = rows.find((other) => other.dataset.task === id) ?? rows[Math.min(at, rows.length - 1)];
    (row?.querySelector(`[data-control="${control}"]`) ?? row?.querySelector("button") ?? byId("tasks-title")).focus();
  }
}

function loading() {
  return el("div", { class: "loading", role: "status" }, el("span", { class: "unseen" }, "Loading the tasks"), el("i"), el("i"), el("i"));
}
