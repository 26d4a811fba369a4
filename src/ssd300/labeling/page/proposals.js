// The boxes that a model proposes, and which of them are shown.

import { state } from "./state.js";

export function shownProposals() {
  return state.proposals;
}
