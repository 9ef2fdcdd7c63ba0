// The pane one talks in. Messages are sent one after the other: what is written while an answer comes waits behind it, in
// the conversation it was written in. An answer goes on when another conversation is opened, and is there on return.

import { Composer } from "./composer.js";
import { byId, el, icon } from "./element.js";
import { Failure } from "./endpoint.js";
import { Answer, Said } from "./message.js";
import { timezone } from "./when.js";

const PAGE = 60;
// So close to the end, the view follows what is added.
const NEAR_END_PX = 120;
const EXAMPLES = [
  "Remind me to call mum tomorrow at 6pm",
  "Add buy milk and eggs with high priority, tagged shopping",
  "Pay the rent on the 1st of every month",
  "What is due this week?",
];
const ONLY_READ = new Set(["list_tasks"]);

/**
 * The conversation pane. `hooks`: `endpoint()`, `failed(failure)`, `reached()`, `started(id)` when a new conversation has
 * its number, `lost()` to leave one that is not there, `changed()` when tasks may have changed, `ended()` after each turn.
 */
export class Conversation {
  #hooks;
  #messages = byId("messages");
  #composer;
  #view;
  #queue = [];
  #running;
  #failed = new Set();
  #wasAtEnd = true;

  constructor(hooks) {
    this.#hooks = hooks;
    this.#composer = new Composer({ send: (text) => this.say(text), stop: () => this.stop() });
    this.#messages.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    byId("latest").addEventListener("click", () => this.#toEnd());
  }

  begin(userId) {
    this.#composer.begin(userId);
  }

  /** Forgets everything shown and written: another person may be next. */
  clear() {
    if (this.#running) this.#running.givenUp = true;
    this.#running?.stop.abort();
    this.#queue = [];
    this.#failed.clear();
    this.#view = undefined;
    this.#messages.replaceChildren();
    byId("spoken").textContent = "";
    this.#composer.clear();
  }

  /** The number of the conversation shown; `undefined` for one not yet begun. */
  get current() {
    return this.#view?.id;
  }

  /** Shows a conversation, or the start of a new one. */
  open(id) {
    const alive = id === undefined ? undefined : this.#turns().find((turn) => turn.view.id === id)?.view;
    const view = alive ?? { id, element: el("div", { class: "thread" }) };
    this.#show(view);
    if (alive) return;
    if (id === undefined) this.#welcome(view);
    else this.#load(view);
  }

  /** Says something in the conversation shown, as if it were typed and sent. */
  say(text) {
    const turn = { view: this.#view, said: new Said(text), stop: new AbortController(), accepted: false, givenUp: false };
    for (const past of this.#view.element.querySelectorAll(".welcome, .choices")) past.remove();
    this.#view.element.append(turn.said.element);
    this.#toEnd();
    this.#enqueue(turn);
  }

  /** Puts words in the box for the person to finish. */
  suggest(text) {
    this.#composer.suggest(text);
  }

  focus() {
    this.#composer.focus();
  }

  /** Stops the answer that is coming, if it is the one looked at. */
  stop() {
    if (this.#running?.view !== this.#view) return false;
    this.#running.stop.abort();
    return true;
  }

  #enqueue(turn) {
    this.#queue.push(turn);
    if (this.#running) turn.said.waiting();
    else this.#next();
    this.#keep();
  }

  async #next() {
    const turn = this.#queue.shift();
    this.#running = turn;
    this.#composer.busy(turn !== undefined && turn.view === this.#view);
    if (!turn) return;
    await this.#run(turn);
    this.#running = undefined;
    this.#hooks.ended();
    this.#next();
  }

  async #run(turn) {
    const answer = new Answer();
    turn.said.sent();
    turn.said.element.after(answer.element);
    this.#follow(turn.view);
    try {
      const body = { conversation_id: turn.view.id, message: turn.said.text, timezone };
      await this.#hooks.endpoint().turn(body, this.#listeners(turn, answer), turn.stop.signal);
      this.#hooks.reached();
    } catch (failure) {
      this.#fell(turn, answer, failure);
    }
    this.#keep();
    this.#follow(turn.view);
  }

  #listeners(turn, answer) {
    const shown = (show) => (data) => {
      show(data);
      this.#follow(turn.view);
    };
    return {
      conversation: ({ conversation_id: id }) => this.#accepted(turn, id),
      delta: shown(({ text }) => answer.delta(text)),
      tool_call: shown((call) => answer.call(call)),
      tool_result: shown((result) => {
        answer.result(result);
        if (!ONLY_READ.has(result.name)) this.#hooks.changed();
      }),
      approval: shown(() => this.#offerConsent(answer)),
      done: shown(({ response }) => {
        answer.finish(response);
        // Said once and whole: piece by piece a screen reader would stammer.
        if (turn.view === this.#view) byId("spoken").textContent = response;
      }),
    };
  }

  /** The server has the message. From here on sending it again would be a second message. */
  #accepted(turn, id) {
    turn.accepted = true;
    this.#keep();
    if (turn.view.id !== undefined) return;
    turn.view.id = id;
    if (turn.view === this.#view) this.#hooks.started(id);
  }

  /** A turn did not reach its end. What the server never took stays unsent; what it took may have been done. */
  #fell(turn, answer, failure) {
    if (!(failure instanceof Failure)) throw failure;
    if (turn.givenUp) return;
    const { view, said } = turn;
    const again = () => this.#again(turn, answer);
    if (failure.code === "not_found") view.id = undefined;
    if (turn.accepted && failure.kind === "stopped") {
      // The server finishes a turn whoever listens: half a turn would leave tasks nobody heard of.
      answer.broke("You stopped waiting. The assistant may still finish.", "Show what was done", () => this.#reload(view));
    } else if (turn.accepted && failure.kind === "refused") {
      answer.broke(failure.message, "Try again", again);
    } else if (turn.accepted) {
      answer.broke(failure.message, "Show what was done", () => this.#reload(view));
    } else {
      answer.element.remove();
      turn.stop = new AbortController();
      this.#failed.add(turn);
      said.failed(failure, again, () => this.#edit(turn));
    }
    this.#hooks.failed(failure);
  }

  #again(turn, answer) {
    answer.element.remove();
    this.#failed.delete(turn);
    turn.view.element.append(turn.said.element);
    turn.stop = new AbortController();
    turn.accepted = false;
    this.#enqueue(turn);
    this.#toEnd();
  }

  #edit(turn) {
    this.#failed.delete(turn);
    turn.said.element.remove();
    this.#composer.suggest(turn.said.text);
    this.#keep();
  }

  /** All turns not over: running, waiting, or failed and not given up. */
  #turns() {
    return [...new Set([...this.#failed, ...(this.#running ? [this.#running] : []), ...this.#queue])];
  }

  #keep() {
    this.#composer.keep(this.#turns().filter((turn) => !turn.accepted).map((turn) => turn.said.text));
  }

  #show(view) {
    this.#view = view;
    this.#messages.replaceChildren(view.element);
    this.#composer.busy(this.#running?.view === view);
    this.#toEnd();
  }

  #reload(view) {
    view.element.replaceChildren();
    this.#load(view);
    this.#hooks.changed();
  }

  /** Fetches what was said, newest first, so that a long conversation opens at its end; `after` goes further back. */
  async #load(view, after) {
    const place = el("div", { class: "loading", role: "status" }, el("span", { class: "unseen" }, "Loading the conversation"), el("i"), el("i"), el("i"));
    view.element.prepend(place);
    try {
      const params = { thread_id: String(view.id), limit: PAGE, order: "desc", ...(after && { after }) };
      const endpoint = this.#hooks.endpoint();
      const [page, thread] = await Promise.all([endpoint.ask("items.list", params), !after && endpoint.ask("threads.get_by_id", { thread_id: params.thread_id })]);
      const height = this.#messages.scrollHeight;
      const { elements, last } = history(page.data.toReversed());
      place.replaceWith(...this.#earlier(view, page), ...elements);
      // Unless something was said while it was loading.
      if (thread.metadata?.approval && last?.element === view.element.lastElementChild) this.#offerConsent(last);
      if (after) this.#messages.scrollTop += this.#messages.scrollHeight - height;
      else if (view === this.#view) this.#toEnd();
      this.#hooks.reached();
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      place.replaceWith(this.#problem(view, after, failure));
      this.#hooks.failed(failure);
    }
  }

  #offerConsent(answer) {
    answer.choices(["Yes", "No"], (choice) => this.say(choice));
  }

  #earlier(view, page) {
    if (!page.has_more) return [];
    const button = el("button", { type: "button", class: "earlier", click: () => this.#load(view, page.after) }, "Show earlier messages");
    button.addEventListener("click", () => button.remove());
    return [button];
  }

  #problem(view, after, failure) {
    const gone = failure.code === "not_found";
    const again = () => {
      panel.remove();
      if (gone) this.#hooks.lost();
      else this.#load(view, after);
    };
    const text = gone ? "This conversation no longer exists." : failure.message;
    const panel = el("div", { class: "problem-panel", role: "alert" }, icon("alert"), el("p", null, text),
      el("button", { type: "button", click: again }, gone ? "Start a new one" : "Try again"));
    return panel;
  }

  #welcome(view) {
    const hour = new Date().getHours();
    const greeting = hour < 5 ? "Still up?" : hour < 12 ? "Good morning." : hour < 18 ? "Good afternoon." : "Good evening.";
    const examples = EXAMPLES.map((text) => el("li", null, el("button", { type: "button", click: () => this.say(text) }, text)));
    view.element.append(el("section", { class: "welcome" },
      el("h2", null, `${greeting} What needs doing?`),
      el("p", null, "Say it in your own words: add, change, finish, find. One sentence may do several things."),
      el("ul", null, examples)));
  }

  #follow(view) {
    if (view !== this.#view) return;
    if (this.#wasAtEnd) this.#toEnd();
    else this.#scrolled();
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#messages;
    this.#wasAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    byId("latest").hidden = this.#wasAtEnd;
  }

  #toEnd() {
    this.#messages.scrollTop = this.#messages.scrollHeight;
    this.#scrolled();
  }
}

/** Stored items as elements, and the last answer. Answers and the calls that led to them are one, as they were while they came. */
function history(items) {
  const elements = [];
  let answer, last;
  const open = () => {
    if (!answer) elements.push((answer = last = new Answer()).element);
    return answer;
  };
  const close = () => {
    answer?.finish();
    answer = undefined;
  };
  for (const item of items) {
    if (item.type === "user_message") {
      close();
      elements.push(new Said(textOf(item)).element);
    } else if (item.type === "assistant_message") {
      open().delta(textOf(item));
      close();
    } else if (item.type === "workflow") {
      item.workflow.tasks.forEach((task, i) => called(open(), `${item.id}/${i}`, task));
    } else if (item.type === "client_tool_call") {
      open().call({ id: item.id, name: item.name, arguments: item.arguments });
      if (item.status === "completed") open().result({ id: item.id, name: item.name, result: item.output });
    }
  }
  close();
  return { elements, last };
}

function called(answer, id, { title, content, status_indicator: status }) {
  answer.call({ id, name: title, about: content });
  // ChatKit knows no sign for a call that failed: it is the one that is over and not complete.
  if (status !== "loading") answer.result({ id, name: title, result: content, is_error: status === "none" });
}

function textOf(item) {
  return item.content.map((part) => part.text ?? "").join("\n");
}
