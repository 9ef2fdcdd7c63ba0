// The live connection: what happens to the person's tasks, from wherever, as it happens. The socket speaks to the page's own
// origin. A connection that breaks is made again behind the last message heard, so nothing is missed and nothing fetched twice.

const PROTOCOL = "todo.live.v1";
// The server sends a heartbeat every 20 s. Silence for this long means the connection is dead, even if no one closed it.
const SILENCE_MS = 50_000;
// Between two attempts: doubled each time, and somewhere between half of it and all, so that not all pages come back at once.
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;
// A connection that lasted this long was a good one: the next attempt is soon again.
const STEADY_MS = 10_000;
// With too many pages open already, one more waits for one of them to be closed.
const CROWDED_RETRY_MS = 60_000;
const SIGNED_OUT = 1008;
const CROWDED = 4000;

/** The connection. `hooks`: `snapshot(message)`, `change(message)`, `reminder(message)`, `up()`, `down()`, `signedOut()`. */
export class Live {
  #hooks;
  #session;
  #socket;
  #since;
  #up = false;
  #attempts = 0;
  #opened = 0;
  #retry;
  #silence;

  constructor(hooks) {
    this.#hooks = hooks;
    addEventListener("online", () => this.#session && !this.#up && this.#open());
    addEventListener("offline", () => this.#drop());
  }

  /** Keeps a connection for whoever is signed in, from where their last one ended. */
  connect(session) {
    if (this.#session?.userId !== session.userId) this.#since = undefined;
    this.#session = session;
    this.#attempts = 0;
    this.#open();
  }

  /** Ends the connection. */
  disconnect() {
    this.#session = undefined;
    this.#drop();
  }

  /** Ends the connection and forgets whose it was. */
  clear() {
    this.disconnect();
    this.#since = undefined;
  }

  #open() {
    this.#drop();
    const { userId, token } = this.#session;
    const url = new URL(`/api/${encodeURIComponent(userId)}/live`, location.origin);
    url.protocol = url.protocol.replace("http", "ws");
    if (this.#since !== undefined) url.searchParams.set("since", this.#since);
    // A page cannot send a header here; the list of protocols is the one thing it can.
    const socket = new WebSocket(url, [PROTOCOL, `bearer.${token}`]);
    socket.addEventListener("message", ({ data }) => socket === this.#socket && this.#heard(JSON.parse(data)));
    socket.addEventListener("close", ({ code }) => socket === this.#socket && this.#closed(code));
    this.#socket = socket;
    this.#opened = Date.now();
    this.#listen();
  }

  /** Leaves the socket, if there is one; what it still says is not heard. */
  #drop() {
    clearTimeout(this.#retry);
    clearTimeout(this.#silence);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
    if (this.#up) {
      this.#up = false;
      this.#hooks.down();
    }
  }

  #heard(message) {
    this.#listen();
    this.#since = message.offset;
    if (message.type === "snapshot") this.#hooks.snapshot(message);
    if (message.type === "change") this.#hooks.change(message);
    if (message.type === "reminder") this.#hooks.reminder(message);
    if (this.#up) return;
    this.#up = true;
    this.#hooks.up();
  }

  #closed(code) {
    if (Date.now() - this.#opened > STEADY_MS) this.#attempts = 0;
    this.#drop();
    if (code === SIGNED_OUT) return this.#hooks.signedOut();
    const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#attempts);
    const wait = code === CROWDED ? CROWDED_RETRY_MS : longest * (0.5 + Math.random() / 2);
    this.#attempts += 1;
    this.#retry = setTimeout(() => this.#open(), wait);
  }

  #listen() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#closed(), SILENCE_MS);
  }
}
