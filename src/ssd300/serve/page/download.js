// Saves what is shown as a file. The PNG is the drawing that is seen. What the page cannot make itself, api.js does: the
// VOC XML, and the PNG of a format that the browser does not know.

import { makeFile } from "./api.js";
import { element } from "./elements.js";
import { showError } from "./notices.js";
import { shownAsPng } from "./stage.js";
import { nameOf, state, visible } from "./state.js";

const KEEP_URL_MS = 10_000; // the browser reads it after the click

// `kind` is "png", "json" or "xml".
export async function download(kind) {
  const entry = state.shown;
  const name = `${nameOf(entry).replace(/\.[^.]*$/, "")}.${kind}`;
  try {
    const own = kind === "json" ? asJson(entry) : kind === "png" ? await shownAsPng() : null;
    const options = { minScore: state.minScore ?? undefined, maxOverlap: state.maxOverlap };
    save(own ?? (await makeFile(kind, entry, visible(entry), options)), name);
  } catch (error) {
    showError(error, entry.file.name);
  }
}

function asJson(entry) {
  const { image, width, height } = entry.result;
  const content = { images: [{ image, width, height, detections: visible(entry) }] };
  return new Blob([JSON.stringify(content, null, 2)], { type: "application/json" });
}

function save(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEEP_URL_MS);
}
