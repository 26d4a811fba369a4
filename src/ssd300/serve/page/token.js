// The token that a server requires: it is typed here, and the page starts again with it.

import { useToken } from "./api.js";
import { byId } from "./elements.js";
import { showError } from "./notices.js";
import { start } from "./page.js";

byId("token-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  useToken(byId("token").value);
  showError(null);
  const error = await start();
  byId("token-form").hidden = !error;
  if (error?.status === 401) showError(new Error("The server does not accept this token."));
});
