// How one task looks, and the sentences its controls say.

import { el, icon, iconButton } from "./element.js";
import { ago, dueOf, reminder } from "./when.js";

// A note longer than this is folded.
const LONG_NOTE = 160;
const PRIORITIES = { low: "Low", medium: "Medium", high: "High", urgent: "Urgent" };

/** A row for a task. `hooks`: `say(sentence)` sends, `suggest(beginning)` leaves the end to the person. */
export function taskRow(task, hooks) {
  const row = el("li", { class: "task", "data-task": task.id, "data-priority": task.priority, "data-completed": task.completed });
  const toggle = task.completed ? `Reopen task ${task.id}` : `Complete task ${task.id}`;
  const tick = el("button", {
    type: "button", class: "tick", role: "checkbox", "aria-checked": String(Boolean(task.completed)), "aria-label": task.title, title: toggle,
    "data-control": "tick",
    click: () => {
      row.setAttribute("aria-busy", "true");
      hooks.say(toggle);
    },
  }, icon("check"));
  const actions = el("span", { class: "row-actions" },
    !task.completed && iconButton("edit", `Change “${task.title}”`, () => hooks.suggest(`Change task ${task.id} to `), { "data-control": "change" }),
    iconButton("trash", `Delete “${task.title}”`, () => hooks.say(`Delete task ${task.id}`), { "data-control": "delete" }));
  row.append(tick,
    el("p", { class: "task-title" }, task.title),
    el("div", { class: "task-side" }, actions, el("span", { class: "task-id", title: `Task ${task.id}` }, String(task.id))),
    el("div", { class: "task-more" }, task.description && note(task.description), details(task)));
  return row;
}

/** Whether a task has the words searched for in its title, note or tags. */
export function matches(task, words) {
  const text = [task.title, task.description ?? "", ...(task.tags ?? [])].join("\n").toLowerCase();
  return words.every((word) => text.includes(word.replace(/^#/, "")));
}

function note(text) {
  const body = el("p", { class: "note" }, text);
  if (text.length <= LONG_NOTE && text.split("\n").length <= 3) return body;
  const more = el("button", { type: "button", class: "link", "aria-expanded": "false", click: () => {
    const folded = body.classList.toggle("folded");
    more.setAttribute("aria-expanded", String(!folded));
    more.textContent = folded ? "Show all" : "Show less";
  } }, "Show all");
  body.classList.add("folded");
  return el("div", null, body, more);
}

function details(task) {
  const facts = [];
  if (task.completed_at) facts.push(fact("check", "done", `Done ${ago(task.completed_at)}`));
  const due = dueOf(task);
  if (due.overdue) facts.push(fact("alert", "overdue", due.text, due.whole, "Overdue: "));
  else if (due.text) facts.push(fact("calendar", "due", due.text, due.whole, "Due "));
  if (task.repeat) facts.push(fact("repeat", "repeat", task.repeat_text ?? task.repeat, undefined, "Repeats "));
  const reminders = (task.remind ?? []).map((when) => reminder(when)).join(", ");
  if (reminders) facts.push(fact("bell", "remind", reminders, undefined, "Reminder: "));
  if (task.priority) facts.push(fact("flag", task.priority, PRIORITIES[task.priority] ?? task.priority, undefined, "Priority "));
  if (task.tags?.length > 0) facts.push(el("li", { class: "tags" }, task.tags.map((tag) => el("span", null, `#${tag}`))));
  return facts.length > 0 && el("ul", { class: "facts", "aria-label": "Details" }, facts);
}

function fact(symbol, kind, text, whole, spoken) {
  return el("li", { class: `fact ${kind}`, title: whole }, icon(symbol), spoken && el("span", { class: "unseen" }, spoken), text);
}
