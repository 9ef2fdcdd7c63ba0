// Due dates, reminders and moments in words, in the person's own time.

const DAY_MS = 86_400_000;
// The page speaks English; the clock and the order of day and month are the person's where their browser says which English.
const LOCALE = navigator.languages?.find((language) => /^en\b/i.test(language)) ?? "en-GB";
const HERE = Intl.DateTimeFormat().resolvedOptions().timeZone;

const TIME = new Intl.DateTimeFormat(LOCALE, { hour: "numeric", minute: "2-digit" });
const WEEKDAY = new Intl.DateTimeFormat(LOCALE, { weekday: "long", timeZone: "UTC" });
const DATE = new Intl.DateTimeFormat(LOCALE, { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
const DATE_AND_YEAR = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const WHOLE_DATE = new Intl.DateTimeFormat(LOCALE, { dateStyle: "full", timeZone: "UTC" });
const WHOLE = new Intl.DateTimeFormat(LOCALE, { dateStyle: "full", timeStyle: "short" });

/** The IANA name of the person's zone, sent with each message. */
export const timezone = HERE;

/**
 * A task's due date for the eye: `{text, whole, overdue, group}`, `group` one of `overdue` `today` `tomorrow` `week`
 * `later` `none`. `due` is a day (`2026-11-27`) or a moment (RFC 3339).
 */
export function dueOf({ due, timezone: zone, completed }, now = new Date()) {
  if (!due) return { group: "none", overdue: false };
  const allDay = due.length === 10;
  const moment = allDay ? undefined : new Date(due);
  const day = allDay ? due : dayOf(moment);
  const today = dayOf(now);
  const past = allDay ? due < dayOf(now, zone) : moment < now;
  const away = daysBetween(today, day);
  const overdue = past && !completed;
  const text = [dayWord(day, away, today), !allDay && TIME.format(moment), !allDay && elsewhere(moment, zone)];
  return {
    text: text.filter(Boolean).join(" "),
    whole: allDay ? WHOLE_DATE.format(atUtc(day)) : WHOLE.format(moment),
    overdue,
    group: overdue ? "overdue" : groupOf(away),
  };
}

/** Sorts tasks by when they are due, as the server does: at the end of the day when due all day, and last without a due date. */
export function dueOrder({ due }) {
  if (!due) return "9999";
  if (due.length === 10) return `${due}T24`;
  const moment = new Date(due);
  return `${dayOf(moment)}T${moment.toTimeString().slice(0, 8)}`;
}

/** A moment in the past in words: "just now", "14:05", "yesterday", "3 Nov". */
export function ago(text, now = new Date()) {
  const moment = new Date(text);
  if (Number.isNaN(moment.getTime())) return "";
  if (Math.abs(now - moment) < 60_000) return "just now";
  const day = dayOf(moment);
  const away = daysBetween(dayOf(now), day);
  if (away === 0) return TIME.format(moment);
  return away === -1 ? "yesterday" : dayWord(day, away, dayOf(now));
}

/** How many days ago a moment was, counted by midnights. */
export function daysAgo(text, now = new Date()) {
  return daysBetween(dayOf(new Date(text)), dayOf(now));
}

/** A reminder in words: "30 min before", "1 day before", "when due", or the moment itself. */
export function reminder(text, now = new Date()) {
  const offset = /^([+-]?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/i.exec(text);
  if (!offset) return dueOf({ due: text, completed: true }, now).text ?? text;
  const units = [["week", "weeks"], ["day", "days"], ["h", "h"], ["min", "min"], ["s", "s"]];
  const spans = offset.slice(2).map((count, i) => Number(count ?? 0) > 0 && `${count} ${units[i][count === "1" ? 0 : 1]}`);
  const span = spans.filter(Boolean).join(" ");
  if (span === "") return "when due";
  return `${span} ${offset[1] === "-" ? "before" : "after"}`;
}

function dayWord(day, away, today) {
  if (away === 0) return "Today";
  if (away === 1) return "Tomorrow";
  if (away === -1) return "Yesterday";
  if (away > 1 && away < 7) return WEEKDAY.format(atUtc(day));
  if (away < 0 && away > -7) return `${-away} days ago`;
  return (day.slice(0, 4) === today.slice(0, 4) ? DATE : DATE_AND_YEAR).format(atUtc(day));
}

function groupOf(away) {
  if (away <= 0) return "today";
  if (away === 1) return "tomorrow";
  return away < 7 ? "week" : "later";
}

/** The time on another zone's clock, when the task is meant there and that clock differs: "(02:00 in Tokyo)". */
function elsewhere(moment, zone) {
  if (!zone || zone === HERE) return undefined;
  try {
    const there = new Intl.DateTimeFormat(LOCALE, { hour: "numeric", minute: "2-digit", timeZone: zone }).format(moment);
    return there !== TIME.format(moment) && `(${there} in ${zone.split("/").at(-1).replaceAll("_", " ")})`;
  } catch {
    return undefined; // A zone this browser does not know.
  }
}

/** The calendar day of a moment as `2026-11-27`, in a zone or here. */
function dayOf(moment, zone) {
  const parts = { year: "numeric", month: "2-digit", day: "2-digit" };
  try {
    return new Intl.DateTimeFormat("en-CA", { ...parts, timeZone: zone || HERE }).format(moment);
  } catch {
    return new Intl.DateTimeFormat("en-CA", parts).format(moment);
  }
}

function daysBetween(from, to) {
  return Math.round((atUtc(to) - atUtc(from)) / DAY_MS);
}

function atUtc(day) {
  return new Date(`${day}T00:00:00Z`);
}
