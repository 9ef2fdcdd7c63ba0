// The start of the page: who is signed in, the three panes and what passes between them, the address, and the states
// "signed out" and "offline".

import { Conversation } from "./conversation.js";
import { Conversations } from "./conversations.js";
import { byId, el, icon } from "./element.js";
import { Endpoint } from "./endpoint.js";
import { Live } from "./live.js";
import { Reminders } from "./reminders.js";
import * as signIn from "./sign-in.js";
import { Tasks } from "./tasks.js";

// How often to look whether an unreachable server is back.
const PROBE_MS = 5_000;
// A tab looked at again after this long shows what changed meanwhile.
const STALE_MS = 30_000;
// Timers count in 32 bits of milliseconds; a later expiry is looked at again then.
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const EXPIRED = "Your sign-in has expired. What you wrote is kept: sign in again to go on.";

const app = byId("app");
let session;
let endpoint;
let seen = Date.now();
let expiry;
let probe;

const shared = { endpoint: () => endpoint, failed };
const tasks = new Tasks({ ...shared, say: sayOfTask, suggest: suggestOfTask });
const conversations = new Conversations({ ...shared, open: openFromList, gone, named });
const conversation = new Conversation({ ...shared, reached, started, lost: () => openFromList(undefined), changed: () => tasks.refresh(), ended });
const reminders = new Reminders({ say: sayOfTask });
const live = new Live({
  snapshot: (message) => tasks.snapshot(message),
  change,
  reminder: (message) => reminders.show(message),
  up,
  down,
  signedOut: () => signedOut(EXPIRED),
});

listen();
begin();

/** Signs in with the token in the address or the one this tab kept, or asks for one. */
function begin() {
  const offered = signIn.fromAddress() ?? signIn.kept();
  if (offered === undefined) return signedOut("Sign in to see your tasks.");
  try {
    return signedIn(signIn.read(offered));
  } catch (error) {
    if (!(error instanceof signIn.Unusable)) throw error;
    return signedOut(error.message);
  }
}

function signedIn(next) {
  const returned = session?.userId === next.userId;
  if (!returned) forget();
  session = next;
  endpoint = new Endpoint(next);
  signIn.keep(next.token);
  watchExpiry();
  byId("account-name").textContent = next.name;
  byId("account-name").title = next.userId;
  byId("account-initial").textContent = [...next.name][0].toUpperCase();
  byId("sign-in").hidden = true;
  app.hidden = false;
  reached();
  if (!returned) conversation.begin(next.userId);
  // Whoever comes back by a link without a conversation goes on with the one that was open.
  const wanted = idInAddress() ?? (returned ? conversation.current : undefined);
  if (!returned || wanted !== conversation.current) open(wanted);
  history.replaceState(null, "", addressOf(wanted));
  refresh();
  live.connect(next);
  if (matchMedia("(pointer: fine)").matches) conversation.focus();
}

/** Shows the sign-in. What was written stays until someone else signs in. */
function signedOut(reason) {
  signIn.forget();
  clearTimeout(expiry);
  clearTimeout(probe);
  byId("sign-in-reason").textContent = reason;
  byId("sign-in-problem").textContent = "";
  byId("token").value = "";
  app.hidden = true;
  live.disconnect();
  byId("sign-in").hidden = false;
  document.title = "todo";
  byId("sign-in-title").focus();
}

/** The person leaves: nothing of theirs stays in the page or the tab. */
function signOut() {
  forget();
  history.replaceState(null, "", location.pathname);
  signedOut("You have signed out.");
}

function forget() {
  session = undefined;
  endpoint = undefined;
  conversation.clear();
  conversations.clear();
  tasks.clear();
  reminders.clear();
  live.clear();
}

function change(message) {
  tasks.change(message);
  if (message.update_type === "completed" || message.update_type === "deleted") reminders.settle(message.task_id);
}

/** The live connection stands: whatever was said of the network before is over. */
function up() {
  tasks.live(true);
  reached();
}

/** It may be the connection alone or everything: a request tells. Until it is back, the list is asked for as changes are made. */
function down() {
  tasks.live(false);
  if (session && navigator.onLine) tryAgain();
}

function watchExpiry() {
  clearTimeout(expiry);
  const left = session.expiresAt - Date.now();
  if (left <= 0) return signedOut(EXPIRED);
  expiry = setTimeout(watchExpiry, Math.min(left, LONGEST_TIMER_MS));
}

/** The one place where a failure decides more than the pane it happened in. */
function failed(failure) {
  if (failure.kind === "signed_out") return signedOut(`${failure.message} What you wrote is kept: sign in again to go on.`);
  if (failure.kind === "broken") return tryAgain();
  if (failure.kind === "offline") return offline();
}

function offline() {
  const text = navigator.onLine ? "The assistant cannot be reached. Trying again every few seconds." : "You are offline. Messages you write are kept.";
  const notice = byId("notice");
  if (notice.hidden || notice.dataset.text !== text) {
    notice.dataset.text = text;
    notice.replaceChildren(icon("alert"), el("span", null, text), el("button", { type: "button", class: "link", click: tryAgain }, "Try now"));
    notice.hidden = false;
  }
  clearTimeout(probe);
  probe = setTimeout(tryAgain, PROBE_MS);
}

/** Asks for something small; the answer, or its absence, moves the notice. */
async function tryAgain() {
  if (app.hidden) return;
  try {
    await endpoint.ask("threads.list", { limit: 1, order: "desc" });
    reached();
    refresh();
  } catch (failure) {
    failed(failure);
  }
}

function reached() {
  clearTimeout(probe);
  byId("notice").hidden = true;
}

function refresh() {
  seen = Date.now();
  tasks.refresh();
  conversations.refresh();
}

function open(id) {
  conversation.open(id);
  conversations.select(id);
}

function openFromList(id) {
  if (id !== conversation.current || id === undefined) {
    history.pushState(null, "", addressOf(id));
    open(id);
  }
  const drawn = app.dataset.drawer === "open";
  drawer(false);
  pane("talk");
  // On a phone the keyboard would cover what was just opened.
  if (drawn || !matchMedia("(pointer: fine)").matches) byId("talk-title").focus();
  else conversation.focus();
}

function started(id) {
  history.replaceState(null, "", addressOf(id));
  conversations.select(id);
  conversations.refresh();
}

function ended() {
  tasks.refresh();
}

function gone(id) {
  if (id === conversation.current) openFromList(undefined);
}

function named(title) {
  byId("talk-title").textContent = title;
  document.title = conversation.current === undefined ? "todo" : `${title} · todo`;
}

function sayOfTask(sentence) {
  conversation.say(sentence);
}

function suggestOfTask(beginning) {
  pane("talk");
  conversation.suggest(beginning);
}

function addressOf(id) {
  return id === undefined ? location.pathname : `#conversation=${id}`;
}

function idInAddress() {
  const id = new URLSearchParams(location.hash.slice(1)).get("conversation");
  return /^[1-9]\d{0,15}$/.test(id ?? "") ? Number(id) : undefined;
}

/** On a phone one pane shows at a time. */
function pane(name) {
  app.dataset.pane = name;
  for (const button of document.querySelectorAll(".tabs button")) {
    if (button.dataset.pane === name) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
}

/** Where there is no room for the list of conversations, it slides over the rest. */
function drawer(show) {
  const opener = document.querySelector("button[data-drawer=open]");
  if ((app.dataset.drawer === "open") === show) return;
  app.dataset.drawer = show ? "open" : "closed";
  opener.setAttribute("aria-expanded", String(show));
  for (const id of ["talk", "tasks"]) byId(id).inert = show;
  (show ? document.querySelector("#conversations [data-new]") : opener).focus();
}

function listen() {
  byId("sign-in").querySelector("form").addEventListener("submit", submitToken);
  byId("sign-out").addEventListener("click", signOut);
  for (const button of document.querySelectorAll("[data-new]")) button.addEventListener("click", () => openFromList(undefined));
  for (const button of document.querySelectorAll("[data-drawer]")) button.addEventListener("click", () => drawer(button.dataset.drawer === "open"));
  for (const button of document.querySelectorAll(".tabs button")) button.addEventListener("click", () => pane(button.dataset.pane));
  for (const link of document.querySelectorAll("[data-skip]")) link.addEventListener("click", skip);
  matchMedia("(min-width: 74rem)").addEventListener("change", () => drawer(false));
  addEventListener("keydown", escape);
  addEventListener("popstate", moved);
  addEventListener("offline", () => !app.hidden && offline());
  addEventListener("online", tryAgain);
  document.addEventListener("visibilitychange", returned);
}

/** The address changed in place: back, forward, or a link to sign in. */
function moved() {
  if (new URLSearchParams(location.hash.slice(1)).has("token")) begin();
  else if (!app.hidden && idInAddress() !== conversation.current) open(idInAddress());
}

function submitToken(event) {
  event.preventDefault();
  try {
    signedIn(signIn.read(byId("token").value));
  } catch (error) {
    if (!(error instanceof signIn.Unusable)) throw error;
    byId("sign-in-problem").textContent = error.message;
    byId("token").focus();
  }
}

/** The fragment belongs to the conversation, so a skip link moves the focus itself. */
function skip(event) {
  event.preventDefault();
  const target = byId(event.currentTarget.dataset.skip);
  pane(target.closest("#tasks") ? "tasks" : "talk");
  target.focus();
}

function escape(event) {
  if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  if (app.dataset.drawer === "open") drawer(false);
  else conversation.stop();
}

function returned() {
  if (document.hidden || app.hidden) return;
  watchExpiry();
  if (!app.hidden && Date.now() - seen > STALE_MS) refresh();
}
