// The server's API. Errors come as sentences, as the server says them.

let token = sessionStorage.getItem("token") ?? "";

export function useToken(value) {
  token = value;
  sessionStorage.setItem("token", value);
}

export class Problem extends Error {
  constructor(status, detail, fix) {
    const sentence = /[.!?]$/.test(detail) ? detail : `${detail}.`;
    super(fix ? `${sentence} ${fix}` : sentence);
    this.status = status;
  }
}

async function ask(address, options = {}) {
  const headers = new Headers(options.headers);
  if (/^[\x21-\x7e]+$/.test(token)) headers.set("Authorization", `Bearer ${token}`); // others no header can carry
  let answer;
  try {
    answer = await fetch(address, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "The server does not answer.", "See whether it still runs, and try again.");
  }
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => ({}));
  throw new Problem(answer.status, said.detail ?? `The server answered ${answer.status}.`, said.fix);
}

export async function describeModel() {
  return (await ask("v1/model")).json();
}

// What the server answers for one picture, in the form of `accept`. Wishes that are undefined are left to the server.
export async function detect(file, { minScore, maxOverlap, topK, classes = [], accept = "application/json", signal }) {
  const wishes = new URLSearchParams();
  if (minScore !== undefined) wishes.set("min_score", minScore);
  if (maxOverlap !== undefined) wishes.set("max_overlap", maxOverlap);
  if (topK !== undefined) wishes.set("top_k", topK);
  for (const name of classes) wishes.append("classes", name);
  const form = new FormData();
  form.append("file", file, file.name || "picture");
  return ask(`v1/detect?${wishes}`, { method: "POST", body: form, headers: { Accept: accept }, signal });
}
