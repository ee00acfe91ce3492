// What an operator that says nothing does with its keys: it hands what others brought to the ledger in again, under its
// own name, and brings settlements before their depth. The ledger must see through all of it.
import { fromHex, isRejected, must, reversed, toHex } from "@causeway/primitives";
import type { Action } from "../../chain-core/src/codec/action.ts";
import { kinds } from "../../chain-core/src/codec/action.ts";
import { roles, transactionCodec } from "../../chain-core/src/codec/transaction.ts";
import { parseBlock, proveInclusion } from "../../chain-core/src/interchain/bitcoin/inclusion.ts";
import { settleCodec } from "../../chain-core/src/interchain/statement.ts";
import { sequences } from "../../chain-core/src/ledger/envelope.ts";
import { signEnvelope } from "../../chain-core/src/ledger/sign.ts";
import { after } from "../seeds/queue.ts";
import { note } from "../seeds/trace.ts";
import type { Entry } from "./bitcoin.ts";
import { best } from "./bitcoin.ts";
import { operatorSecret } from "./genesis.ts";
import { readerOf } from "./ledger.ts";
import type { Operator, World } from "./model.ts";
import { submitTo } from "./node-process.ts";

/** Kinds that carry something from outside, with the role that may bring them. */
const roleOf: ReadonlyMap<number, number> = new Map([
  [kinds.headers, roles.relay],
  [kinds.attest, roles.relay],
  [kinds.settle, roles.relay],
  [kinds.signature, roles.signer],
]);
const envelopeLifeMs = 60_000;
const delaySpanMs = 10_000;

function silentOf(world: World): Operator | undefined {
  return world.operators.find(({ isSilent }) => isSilent);
}

/** Some of the actions of a block that just became final come again later. */
export function replaySome(world: World, transactions: readonly Uint8Array[]): void {
  if (silentOf(world) === undefined) return;
  for (const bytes of transactions)
    for (const action of transactionCodec.decode(bytes).actions)
      if (roleOf.has(action.kind) && world.random.chance(0.3))
        after(world.queue, world.random.below(delaySpanMs), "replay", () => hand(world, action));
}

/** Settlements of what the ring sent into the newest block. */
export function settleEarly(world: World): void {
  if (silentOf(world) === undefined || !world.random.chance(0.3)) return;
  const { block }: Entry = best(world.bitcoin);
  const isPlanned = block.txs.map(({ txid }) =>
    world.checks.planned.has(toHex(reversed(fromHex(txid)))),
  );
  const position = isPlanned.indexOf(true);
  if (position < 0) return;
  const parsed = parseBlock(block.raw);
  if (isRejected(parsed)) throw new Error(parsed.message);
  const inclusion = proveInclusion(parsed.stripped, position);
  const { chain } = world.genesis.bitcoin;
  const body = settleCodec.encode({ chain, blockHash: parsed.hash, ...inclusion });
  after(world.queue, world.random.below(delaySpanMs), "settle early", () =>
    hand(world, { kind: kinds.settle, body }),
  );
}

/** In an envelope of the silent operator, to some node. */
function hand(world: World, action: Action): void {
  const silent = silentOf(world);
  const up = world.operators.filter(({ node }) => node.isUp);
  const role = roleOf.get(action.kind);
  if (silent === undefined || up.length === 0 || role === undefined) return;
  const to = world.random.pick(up);
  const validator = must(world.genesis.validators[silent.seat], "validator").owner;
  const used = sequences.get(readerOf(to.node.disk), { validator, role })?.highest ?? 0;
  const expires = to.node.disk.time + envelopeLifeMs;
  const secret = operatorSecret(silent.seat, role === roles.relay ? "relay" : "host");
  const envelope = { validator, role, sequence: used + 1 };
  const tx = signEnvelope(world.genesis, envelope, expires, [action], secret);
  world.faults["hostile-action"] += 1;
  submitTo(world, to, "transactions", transactionCodec.encode(tx), (result) => {
    const answer = isRejected(result) ? result.code : "accepted";
    note(world.trace, world.queue.now, `hostile action ${action.kind}: ${answer}`);
  });
}
