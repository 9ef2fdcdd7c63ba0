// Reminders that are due now. They stay until the person has dealt with them: who is in the next room should still find them.

import { byId, el, icon, iconButton } from "./element.js";
import { dueOf } from "./when.js";

// More would cover the page; the oldest goes.
const MOST = 4;

/** The corner they appear in. `hooks`: `say(sentence)`. */
export class Reminders {
  #hooks;
  #corner = byId("reminders");

  constructor(hooks) {
    this.#hooks = hooks;
  }

  clear() {
    this.#corner.replaceChildren();
  }

  /** Shows one: `{reminder_id, task_id, title, due, timezone}`. The corner is a live region, so it is also read out. */
  show(reminder) {
    const { text, whole } = dueOf(reminder);
    const toast = el("div", { class: "reminder", "data-reminder": reminder.reminder_id, "data-of-task": reminder.task_id },
      icon("bell"),
      el("p", { class: "reminder-title" }, el("span", { class: "unseen" }, "Reminder: "), reminder.title),
      el("p", { class: "quiet", title: whole }, text ? `Due ${text}` : "You wanted to be reminded now."),
      el("button", { type: "button", class: "link", click: () => this.#done(toast, reminder) }, "Done"),
      iconButton("close", `Dismiss the reminder of “${reminder.title}”`, () => this.#remove(toast)));
    this.#corner.querySelector(`[data-reminder="${CSS.escape(reminder.reminder_id)}"]`)?.remove();
    this.#corner.append(toast);
    while (this.#corner.children.length > MOST) this.#corner.firstElementChild.remove();
  }

  /** The task is done or gone: nobody needs to be reminded of it any more. */
  settle(taskId) {
    for (const toast of this.#corner.querySelectorAll(`[data-of-task="${CSS.escape(String(taskId))}"]`)) this.#remove(toast);
  }

  #done(toast, reminder) {
    this.#remove(toast);
    this.#hooks.say(`Complete task ${reminder.task_id}`);
  }

  /** The keyboard goes on to the next one, and in the end back to the tasks. */
  #remove(toast) {
    const focused = toast.contains(document.activeElement);
    const next = toast.nextElementSibling ?? toast.previousElementSibling;
    toast.remove();
    if (focused) (next?.querySelector("button") ?? byId("tasks-title")).focus();
  }
}
