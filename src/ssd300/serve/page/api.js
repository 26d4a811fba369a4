// Requests to the server. An error carries the server's own sentences.

const MEDIA_TYPES = { png: "image/png", xml: "application/xml" };

let token = sessionStorage.getItem("token") ?? "";

export function useToken(value) {
  token = value;
  sessionStorage.setItem("token", value);
}

// `status` is 0 where the server did not answer. `content` is the whole answer, if it was JSON.
export class RequestError extends Error {
  constructor(status, detail, fix, content = {}) {
    const sentence = /[.!?]$/.test(detail) ? detail : `${detail}.`;
    super(fix ? `${sentence} ${fix}` : sentence);
    this.status = status;
    this.content = content;
  }

  // Whether any other image would fail too: there is no server, or it wants another token.
  get affectsAll() {
    return this.status === 0 || this.status === 401;
  }
}

export async function describeModel() {
  return (await request("v1/model")).json();
}

// The `result` of one image file, as the API describes it, with the milliseconds of each step, and `totalMs`.
export async function detect(file, options) {
  const { images: [result], timing_ms: timing } = await (await send(file, { ...options, accept: "application/json" })).json();
  result.timing_ms.receive = timing.receive;
  return { result, totalMs: timing.total };
}

// A file of the detections `found` of an image: its drawing ("png") or a VOC annotation ("xml"). The server detects
// again: of their classes, as many as they are, the best first.
export async function makeFile(kind, { file }, found, { minScore, maxOverlap }) {
  const classes = [...new Set(found.map((one) => one.label))];
  const options = { minScore, maxOverlap, topK: found.length || 1, classes, accept: MEDIA_TYPES[kind] };
  return (await send(file, options)).blob();
}

// Options that are undefined are left to the server.
async function send(file, { minScore, maxOverlap, topK, classes = [], accept, signal }) {
  const options = new URLSearchParams();
  if (minScore !== undefined) options.set("min_score", minScore);
  if (maxOverlap !== undefined) options.set("max_overlap", maxOverlap);
  if (topK !== undefined) options.set("top_k", topK);
  for (const name of classes) options.append("classes", name);
  const form = new FormData();
  form.append("file", file, file.name || "image");
  return request(`v1/detect?${options}`, { method: "POST", body: form, headers: { Accept: accept }, signal });
}

// The response to a request with the token, if it is a good one; else an error is thrown.
export async function request(address, options = {}) {
  const headers = new Headers(options.headers);
  if (/^[\x21-\x7e]+$/.test(token)) headers.set("Authorization", `Bearer ${token}`); // a header cannot carry others
  let response;
  try {
    response = await fetch(address, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new RequestError(0, "The server does not respond.", "Check that it is running, and try again.");
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  throw new RequestError(
    response.status, problem.detail ?? `The server responded with status ${response.status}.`, problem.fix, problem,
  );
}
