// The one URL the page speaks to: POST /api/{user_id}/chat. A turn streams; everything else is one answer.

// The server sends a comment every few seconds while it works. Silence for this long means the connection is dead, even
// if no one closed it (a laptop that slept, a phone that changed networks).
const SILENCE_MS = 90_000;

/** What went wrong, and what a person can do: `kind` is `signed_out`, `offline`, `broken`, `busy`, `stopped` or `refused`. */
export class Failure extends Error {
  constructor(kind, message, { code, retryAfter } = {}) {
    super(message);
    this.kind = kind;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** Speaks to the endpoint for one person. */
export class Endpoint {
  #url;
  #token;

  constructor({ userId, token }) {
    this.#url = `/api/${encodeURIComponent(userId)}/chat`;
    this.#token = token;
  }

  /** A request of the ChatKit protocol (`threads.list` …) or `tasks.list`; answers the parsed body. */
  async ask(type, params) {
    const response = await this.#post({ type, params }, "application/json", AbortSignal.timeout(SILENCE_MS));
    try {
      return await response.json();
    } catch {
      throw new Failure("broken", "The answer could not be read.");
    }
  }

  /**
   * A turn. `on` has a function per event (`conversation`, `delta`, `tool_call`, `tool_result`, `done`). Resolves after
   * `done`; throws a `Failure` otherwise. Nothing is sent twice: whether to try again is the person's choice.
   */
  async turn(body, on, signal) {
    const silence = new Silence(signal);
    try {
      const response = await this.#post(body, "text/event-stream", silence.signal);
      for await (const { name, data } of events(response.body, () => silence.broken())) {
        if (name === "error") throw refusal(response, data);
        on[name]?.(data);
        if (name === "done") return;
      }
      throw new Failure("broken", "The connection broke before the answer was complete.");
    } catch (error) {
      if (signal?.aborted) throw new Failure("stopped", "Stopped.");
      if (error instanceof Failure) throw error;
      throw new Failure("broken", "The connection broke before the answer was complete.");
    } finally {
      silence.end();
    }
  }

  async #post(body, accept, signal) {
    let response;
    try {
      response = await fetch(this.#url, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: accept, Authorization: `Bearer ${this.#token}` },
        body: JSON.stringify(body),
        cache: "no-store",
        signal,
      });
    } catch {
      throw new Failure("offline", navigator.onLine ? "The assistant cannot be reached." : "You are offline.");
    }
    if (!response.ok) throw refusal(response, await response.json().catch(() => ({})));
    return response;
  }
}

/** Aborts a turn after a long silence; `signal` also follows the person's own stop. */
class Silence {
  #controller = new AbortController();
  #timer;

  constructor(signal) {
    this.signal = AbortSignal.any([this.#controller.signal, ...(signal ? [signal] : [])]);
    this.broken();
  }

  broken() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(), SILENCE_MS);
  }

  end() {
    clearTimeout(this.#timer);
  }
}

function refusal(response, body) {
  const { code } = body?.error ?? {};
  const message = sentence(body?.error?.message);
  const wait = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  const detail = { code, retryAfter: Number.isFinite(wait) ? wait : undefined };
  switch (response.status) {
    case 401:
      return new Failure("signed_out", message ?? "Your sign-in has ended.", detail);
    case 429:
      return new Failure("busy", message ?? "That was a lot at once.", detail);
    case 502:
    case 503:
    case 504:
      return new Failure("busy", message ?? "The assistant is busy or starting.", detail);
    default:
      return new Failure("refused", message ?? `Something went wrong (${response.status}).`, detail);
  }
}

/** The server's words as a sentence that others can follow. */
function sentence(text) {
  if (typeof text !== "string" || text === "") return undefined;
  return text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}

/** Reads server-sent events (WHATWG HTML §9.2): `{name, data}`, data parsed as JSON. Comments only count as a sign of life. */
async function* events(body, alive) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let name = "";
  let data = [];
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    alive();
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines.map((text) => text.replace(/\r$/, ""))) {
      if (line === "") {
        if (data.length > 0) yield { name: name || "message", data: JSON.parse(data.join("\n")) };
        name = "";
        data = [];
      } else if (line.startsWith("event:")) {
        name = line.slice(6).trim();
      } else if (line.startsWith("data:")) {
        data.push(line.slice(5).replace(/^ /, ""));
      }
    }
  }
}
