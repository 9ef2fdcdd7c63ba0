// Whose token it is, where it is kept and when it ends. The page reads the token only to know whose URL to speak to and
// what to show; whether it is genuine is for the server to say.
//
// It is kept in the tab's sessionStorage: a reload keeps it, closing the tab forgets it, and no other tab, profile or
// later person at this device finds it. It never stays in the address bar, where history and screenshots would keep it.

const KEY = "todo.token";

/** Why a token cannot be used, in words for the person. */
export class Unusable extends Error {}

/** Reads a token: `{token, userId, name, expiresAt}`, `expiresAt` in milliseconds. Throws `Unusable`. */
export function read(text) {
  const token = text.trim().replace(/^bearer\s+/i, "");
  const claims = claimsOf(token);
  if (typeof claims.sub !== "string" || claims.sub === "") {
    throw new Unusable("This token does not say whose it is.");
  }
  const expiresAt = typeof claims.exp === "number" ? claims.exp * 1000 : Infinity;
  if (expiresAt <= Date.now()) throw new Unusable("This token has expired. Get a new one.");
  const name = [claims.name, claims.email].find((claim) => typeof claim === "string" && claim !== "") ?? claims.sub;
  return { token, userId: claims.sub, name, expiresAt };
}

/** Takes `#token=…` out of the address bar and keeps it for this tab. */
export function fromAddress() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const token = fragment.get("token");
  if (token === null) return undefined;
  fragment.delete("token");
  const rest = fragment.toString();
  history.replaceState(null, "", location.pathname + location.search + (rest ? `#${rest}` : ""));
  return token;
}

/** The token this tab kept, if any. */
export function kept() {
  return sessionStorage.getItem(KEY) ?? undefined;
}

/** Keeps the token for this tab. */
export function keep(token) {
  sessionStorage.setItem(KEY, token);
}

/** Forgets the token. */
export function forget() {
  sessionStorage.removeItem(KEY);
}

function claimsOf(token) {
  const part = token.split(".");
  if (part.length !== 3) throw new Unusable("This is not a token: it should have three parts with dots between them.");
  try {
    const bytes = Uint8Array.from(atob(part[1].replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof claims === "object" && claims !== null) return claims;
  } catch {
    // Said below: whatever is wrong inside, the person can only fetch another.
  }
  throw new Unusable("This token cannot be read. Copy it again, whole.");
}
