// Saves what is shown as a file. The PNG is the drawing that is seen. The server makes the VOC XML, and the PNG of a
// format that the browser does not know: of the visible classes as many detections as are visible, the best first.

import { detect } from "./api.js";
import { element } from "./elements.js";
import { showError } from "./notices.js";
import { shownAsPng } from "./stage.js";
import { nameOf, state, visible } from "./state.js";

const KEEP_URL_MS = 10_000; // the browser reads it after the click
const MEDIA_TYPES = { png: "image/png", xml: "application/xml" };

// `kind` is "png", "json" or "xml".
export async function download(kind) {
  const entry = state.shown;
  const name = `${nameOf(entry).replace(/\.[^.]*$/, "")}.${kind}`;
  try {
    const own = kind === "json" ? asJson(entry) : kind === "png" ? await shownAsPng() : null;
    save(own ?? (await fromServer(entry, MEDIA_TYPES[kind])), name);
  } catch (error) {
    showError(error, entry.file.name);
  }
}

function asJson(entry) {
  const { image, width, height } = entry.result;
  const content = { images: [{ image, width, height, detections: visible(entry) }] };
  return new Blob([JSON.stringify(content, null, 2)], { type: "application/json" });
}

async function fromServer(entry, accept) {
  const found = visible(entry);
  const classes = [...new Set(found.map((one) => one.label))];
  const { minScore, maxOverlap } = state;
  const options = { minScore: minScore ?? undefined, maxOverlap, topK: found.length || 1, classes, accept };
  return (await detect(entry.file, options)).blob();
}

function save(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEEP_URL_MS);
}
