// An operator's signer: the machine, its disk, its wires to the other signers, its calls to the own node and the own
// foreign nodes.
import { isRejected } from "@causeway/primitives";
import { roles } from "../../chain-core/src/codec/transaction.ts";
import type { Effect, Event } from "../../signer/src/machine.ts";
import * as machine from "../../signer/src/machine.ts";
import { shareFileName } from "../../signer/src/share-file.ts";
import { note } from "../seeds/trace.ts";
import { threw } from "../seeds/violation.ts";
import { signerPerformed } from "./checkers/checks.ts";
import { factsOf } from "./foreign.ts";
import type { Operator, SignerProcess, World } from "./model.ts";
import { send } from "./network.ts";
import { clockOf, heightOf, proveOf, sequenceOf, submitTo } from "./node-process.ts";
import { entropy, later, laterAt, survives, unborn } from "./process.ts";

/** A call to a process on the same machine, ms each way. */
export const callMs = 1;
/** A read of a foreign node, ms. */
const readMinMs = 2;
const readSpanMs = 20;

export function createSigner(context: machine.Context): SignerProcess {
  return {
    ...unborn(),
    disk: { journal: [], shares: new Map() },
    context,
    state: undefined,
    wakeAt: Number.POSITIVE_INFINITY,
  };
}

export function startSigner(world: World, operator: Operator): void {
  const { signer, seat } = operator;
  signer.isUp = true;
  signer.boot += 1;
  signer.wakeAt = Number.POSITIVE_INFINITY;
  signer.state = machine.initial(signer.context);
  note(world.trace, world.queue.now, `signer ${seat} starts`);
  const shares = [...signer.disk.shares.values()];
  toSigner(world, operator, { kind: "started", journal: [...signer.disk.journal], shares });
  signerHeight(world, operator);
}

/** The own node has a height: told to a running signer by its long poll. */
export function signerHeight(world: World, operator: Operator): void {
  const { signer, node, seat } = operator;
  if (!signer.isUp || !node.isUp) return;
  later(world, signer, callMs, `height signer ${seat}`, () =>
    toSigner(world, operator, { kind: "height", height: heightOf(node) }),
  );
}

export function signerForeignBlock(world: World, operator: Operator, chain: Uint8Array): void {
  toSigner(world, operator, { kind: "foreign-block", chain });
}

export function toSigner(world: World, operator: Operator, event: Event): void {
  const { signer, seat } = operator;
  if (!signer.isUp || signer.state === undefined) return;
  let effects: readonly Effect[];
  try {
    const input = { nowMs: clockOf(world, operator), entropy: entropy(world), event };
    [signer.state, effects] = machine.step(signer.context, signer.state, input);
  } catch (error) {
    threw(`signer ${seat} at ${event.kind}`, error);
  }
  for (const [i, effect] of effects.entries()) {
    if (!survives(world, signer, `signer ${seat}`, i)) return;
    performOne(world, operator, effect);
  }
}

function performOne(world: World, operator: Operator, effect: Effect): void {
  const { signer, seat } = operator;
  signerPerformed(world, operator, effect);
  switch (effect.kind) {
    case "prove":
    case "sequence":
    case "submit":
      later(world, signer, callMs, `${effect.kind} signer ${seat}`, () =>
        callNode(world, operator, effect),
      );
      return;
    case "send": {
      const other = world.operators[effect.to];
      if (other === undefined) return;
      send(world.network, seat, effect.to, `signer ${seat} ${effect.to}`, () =>
        toSigner(world, other, { kind: "message", from: seat, bytes: effect.bytes }),
      );
      return;
    }
    case "read":
      later(
        world,
        signer,
        readMinMs + world.random.below(readSpanMs),
        `read signer ${seat}`,
        () => {
          const { id } = effect;
          const facts = factsOf(world, operator, effect.chain, effect.event);
          if (facts === undefined)
            toSigner(world, operator, { kind: "failed", id, code: "unreachable" });
          else toSigner(world, operator, { kind: "facts", id, facts });
        },
      );
      return;
    case "peers":
    case "erase-host":
      return;
    case "erase-share":
      signer.disk.shares.delete(shareFileName(effect));
      return;
    case "journal":
      signer.disk.journal.push(effect.record);
      return;
    case "save-share":
      signer.disk.shares.set(shareFileName(effect), effect);
      return;
    case "wake":
      wake(world, operator, effect.atMs);
      return;
    case "end":
      // Two processes of one seat are not in this world.
      threw(`signer ${seat} at ${effect.kind}`, new Error(effect.message));
      return;
    case "log":
      if (world.trace.print !== undefined && effect.level !== "debug")
        world.trace.print(
          `          signer ${seat} ${effect.message} ${JSON.stringify(effect.fields)}`,
        );
      return;
  }
}

/** Of several orders the earliest counts. */
function wake(world: World, operator: Operator, atMs: number): void {
  const { signer, seat, skewMs } = operator;
  if (atMs >= signer.wakeAt) return;
  signer.wakeAt = atMs;
  laterAt(world, signer, atMs - skewMs, `wake signer ${seat}`, () => {
    if (signer.wakeAt !== atMs) return;
    signer.wakeAt = Number.POSITIVE_INFINITY;
    toSigner(world, operator, { kind: "woke" });
  });
}

type NodeCall = Extract<Effect, { kind: "prove" | "sequence" | "submit" }>;

/** The own node's RPC. */
function callNode(world: World, operator: Operator, call: NodeCall): void {
  const { signer, node, seat } = operator;
  const { id } = call;
  const answer = (event: Event): void =>
    later(world, signer, callMs, `answer signer ${seat}`, () => toSigner(world, operator, event));
  const failed: Event = { kind: "failed", id, code: "unreachable" };
  if (!node.isUp) {
    answer(failed);
    return;
  }
  if (call.kind === "prove") answer(proveOf(operator, id, call) ?? failed);
  else if (call.kind === "sequence")
    answer({ kind: "sequence", id, next: sequenceOf(world, operator, roles.signer) });
  else {
    let isAnswered = false;
    submitTo(world, operator, "transactions", call.transaction, (result) => {
      isAnswered = true;
      if (!isRejected(result)) answer({ kind: "submitted", id });
      else answer({ kind: "rejected", id, code: result.code, message: result.message });
    });
    if (!isAnswered) answer(failed);
  }
}
