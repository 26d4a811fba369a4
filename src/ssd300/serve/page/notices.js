// Messages above the image: an error, a note, and the request for a token.

import { byId } from "./elements.js";

// `error` is an Error or null; `name` is the image that it concerns, if any.
export function showError(error, name) {
  byId("error").hidden = !error;
  const prefix = name && !error?.message.startsWith(`${name}: `) ? `${name}: ` : "";
  byId("error").textContent = error ? prefix + error.message : "";
}

// `text` is a sentence, or null for none.
export function showNote(text) {
  byId("note").hidden = !text;
  byId("note").textContent = text ?? "";
}

export function askToken() {
  byId("token-form").hidden = false;
  byId("token").value = "";
  byId("token").focus();
}
