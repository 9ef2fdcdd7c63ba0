// The light Markdown that models write: paragraphs, headings, lists, bold, italic, code. Built as elements from text;
// links and images stay text, so an answer cannot lead anywhere or fetch anything.

import { el } from "./element.js";

const ITEM = /^(\s*)(?:([-*+•])|(\d{1,9})[.)])\s+(.*)$/;
const INLINE = /(`+)(.+?)\1(?!`)|\*\*(?=\S)(.+?)\*\*|\*(?=\S)([^*]+?)\*/s;

/** The elements of an answer. */
export function markdown(text) {
  const blocks = [];
  const lines = text.replaceAll("\r\n", "\n").split("\n");
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    if (line.trim() === "") {
      at += 1;
    } else if (line.trimStart().startsWith("```")) {
      const end = lines.findIndex((other, i) => i > at && other.trimStart().startsWith("```"));
      const last = end === -1 ? lines.length : end;
      blocks.push(el("pre", { tabindex: "0", role: "group", "aria-label": "Code" }, el("code", null, lines.slice(at + 1, last).join("\n"))));
      at = last + 1;
    } else if (ITEM.test(line)) {
      const end = nextOf(lines, at, (other) => other.trim() === "" || !(ITEM.test(other) || /^\s{2,}/.test(other)));
      blocks.push(...lists(lines.slice(at, end)));
      at = end;
    } else if (/^#{1,6}\s/.test(line)) {
      blocks.push(el("p", { class: "heading" }, inline(line.replace(/^#+\s+/, ""))));
      at += 1;
    } else {
      const end = nextOf(lines, at, (other) => other.trim() === "" || ITEM.test(other) || /^(\s*```|#{1,6}\s)/.test(other));
      blocks.push(el("p", null, inline(lines.slice(at, end).join("\n"))));
      at = end;
    }
  }
  return blocks;
}

function nextOf(lines, at, ends) {
  const end = lines.findIndex((line, i) => i > at && ends(line));
  return end === -1 ? lines.length : end;
}

/** Lists, nested by indentation. Numbers are kept as written: in an answer they are often the numbers of tasks. */
function lists(lines) {
  const roots = [];
  const open = [];
  for (const line of lines) {
    const [, space, bullet, number, text] = ITEM.exec(line) ?? [];
    if (text === undefined) {
      open.at(-1)?.list.lastElementChild.append("\n", ...inline(line.trim()));
      continue;
    }
    while (open.length > 0 && space.length < open.at(-1).indent) open.pop();
    const tag = bullet ? "ul" : "ol";
    const level = open.at(-1);
    const deeper = level && space.length > level.indent + 1;
    if (!level || deeper || level.list.localName !== tag) {
      if (level && !deeper) open.pop();
      const list = el(tag);
      const parent = open.at(-1)?.list.lastElementChild;
      if (parent) parent.append(list);
      else roots.push(list);
      open.push({ indent: space.length, list });
    }
    open.at(-1).list.append(el("li", { value: number }, inline(text)));
  }
  return roots;
}

function inline(text) {
  const nodes = [];
  let rest = text;
  for (let found = INLINE.exec(rest); found; found = INLINE.exec(rest)) {
    const [whole, , code, bold, italic] = found;
    nodes.push(rest.slice(0, found.index));
    if (code !== undefined) nodes.push(el("code", null, code.trim()));
    else if (bold !== undefined) nodes.push(el("strong", null, inline(bold)));
    else nodes.push(el("em", null, inline(italic)));
    rest = rest.slice(found.index + whole.length);
  }
  nodes.push(rest);
  return nodes.filter((node) => node !== "");
}
