// Which plans are signed together: those of one key, and one epoch of its shares, that one block planned. All signers
// find the same ones in the proven ledger, so that the hash of their ids is enough to name them (`bundleId`), and a
// coordinator has no say in it. A plan of a later block waits for nobody: it is in a bundle of its own.
//
// A plan is in one bundle of several, at most, for a few rounds. What is not signed by then, because too few
// take all of it, is signed alone; and so is the rest, at once, when a view shows that one of them is signed, refused or
// held back. That is simpler than to agree on what to leave out, in which every coordinator and every hostile seat
// would have a part; and the honest, who see the same ledger, leave out the same plans anyway.
import { equal, keyOf, must } from "@causeway/primitives";
import { messagesMax } from "../roast/message.ts";
import { dropNonces } from "../roast/participant.ts";
import type { Bundle } from "./bundle.ts";
import { bundleOf, isCurrent } from "./bundle.ts";
import { hearEarly } from "./early.ts";
import type { Request } from "./request.ts";
import type { Work } from "./work.ts";
import { isLive, isWaiting, put, putBundle } from "./work.ts";

/** Puts every plan that waits for its signatures into a bundle, if it is in none. */
export function drawUp(work: Work): void {
  const { bundles, requests } = work.state;
  const current = [...bundles.values()].filter((one) => isCurrent(one, work.turn.nowMs));
  const covered = new Set(current.flatMap(({ plans }) => plans));
  const groups = new Map<string, [Request, ...Request[]]>();
  for (const [key, request] of requests) {
    if (covered.has(key) || !isWaiting(request)) continue;
    const { plan, ring, wasBundled } = request;
    const name = wasBundled ? key : `${plan.keyId}/${ring.attempt}/${plan.plannedAt}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [request]);
    else group.push(request);
  }
  for (const group of groups.values()) for (const part of partsOf(group)) begin(work, part);
}

/** In order of ids, as many at a time as one session signs. */
export function partsOf(requests: readonly Request[]): (readonly [Request, ...Request[]])[] {
  const ordered = requests.toSorted((a, b) => (keyOf(a.id) < keyOf(b.id) ? -1 : 1));
  const parts: [Request, ...Request[]][] = [];
  let count = 0;
  for (const request of ordered) {
    const part = parts.at(-1);
    count += request.inputs.length;
    if (part !== undefined && count <= messagesMax) part.push(request);
    else {
      parts.push([request]);
      count = request.inputs.length;
    }
  }
  return parts;
}

function begin(work: Work, requests: readonly [Request, ...Request[]]): void {
  const { context, turn } = work;
  for (const request of requests) put(work, { ...request, wasBundled: true });
  const bundle = bundleOf(context.genesis.networkId, requests, turn.nowMs);
  putBundle(work, bundle);
  hearEarly(work, bundle.id);
}

/** By what a view says: of several plans one is not to be signed now; of one plan later seats hold shares, too (RNG-3). */
export function review(work: Work): void {
  const bundles = new Map<string, Bundle>();
  for (const [key, bundle] of work.state.bundles) {
    const request = work.state.requests.get(must(bundle.plans[0], "plan of a bundle"));
    const isOver = bundle.plans.length > 1 && !isLive(work, bundle);
    if (isOver || request === undefined) forgetNonces(work, bundle);
    else bundles.set(key, { ...bundle, ring: request.ring });
  }
  work.state = { ...work.state, bundles };
}

/** The plan is over, or its shares are: its nonces are forgotten. */
export function endOf(work: Work, { id }: Request): void {
  const bundles = new Map(work.state.bundles);
  for (const [key, bundle] of bundles)
    if (bundle.plans.includes(keyOf(id))) {
      forgetNonces(work, bundle);
      bundles.delete(key);
    }
  work.state = { ...work.state, bundles };
}

/** The plan is signed: conversations end, their nonces are forgotten. */
export function fallSilent(work: Work, { id }: Request): void {
  for (const bundle of work.state.bundles.values()) {
    if (!bundle.plans.includes(keyOf(id))) continue;
    forgetNonces(work, bundle);
    putBundle(work, { ...bundle, conversations: new Map(), roasts: new Map() });
  }
}

function forgetNonces(work: Work, { id }: Bundle): void {
  const pool = dropNonces(work.state.pool, (held) => equal(held.request, id));
  work.state = { ...work.state, pool };
}
