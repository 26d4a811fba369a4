// The strip: a thumbnail for each image, with the number of its detections and a button that removes it.
// The buttons carry their entry; page.js handles the clicks.

import { byId, element, replaceKeepingFocus } from "./elements.js";
import { isStale, nameOf, state, visible } from "./state.js";

export function drawStrip() {
  byId("strip").hidden = state.entries.length === 0;
  replaceKeepingFocus(byId("strip"), state.entries.map(thumbnail));
}

function thumbnail(entry) {
  const name = nameOf(entry);
  const count = entry.result && !isStale(entry) ? visible(entry).length : null;
  const open = element("button", { type: "button", className: "open", title: name, entry }, [preview(entry)]);
  open.setAttribute("aria-label", `${name}, ${entry.error ? "failed" : count === null ? "waiting" : `${count} found`}`);
  open.setAttribute("aria-current", String(entry === state.shown));
  const remove = element("button", { type: "button", className: "remove", title: "Remove", entry }, ["×"]);
  remove.setAttribute("aria-label", `Remove ${name}`);
  const badge = element("span", { className: "badge" }, [entry.error ? "!" : String(count ?? "…")]);
  badge.classList.toggle("failed", entry.error !== null);
  return element("div", { className: "thumbnail" }, [open, badge, remove]);
}

function preview(entry) {
  if (entry.bitmap !== null) return element("img", { src: entry.url, alt: "" });
  return element("span", { className: "format" }, [nameOf(entry).split(".").at(-1)]);
}
