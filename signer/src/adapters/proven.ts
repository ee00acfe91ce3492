// One look at the final ledger by its proofs, for a person's command: the node is asked, not believed (CON-6, CON-8).
import type { NodeClient } from "@causeway/chain-core/client";
import type { Genesis, StateReader } from "@causeway/chain-core/interchain";
import { headerCodec } from "@causeway/chain-core/interchain";
import type { Bls } from "@causeway/primitives";
import { Failure, isRejected, keyOf } from "@causeway/primitives";
import type { Trusted } from "../follow/trust.ts";
import { advance, badProof, startOf } from "../follow/trust.ts";
import type { Finality } from "../world.ts";

export type Proven = { readonly view: StateReader; readonly height: number; readonly time: number };

/** At most 256 keys. Throws Failure with the code of what is wrong with the node's answer. */
export async function provenView(
  client: Pick<NodeClient, "ask" | "prove">,
  genesis: Genesis,
  bls: Bls,
  keys: readonly Uint8Array[],
): Promise<Proven> {
  const answer = await client.prove(keys);
  const newest = headerCodec.parse(answer.header);
  if (isRejected(newest)) throw new Failure(newest.code, newest.message);
  let trusted = startOf(genesis);
  for (let next = tried(genesis, bls, trusted, answer); next === undefined; ) {
    const { ends } = await client.ask("ends", { from: trusted.height + 1 });
    const older = ends.filter((end) => heightOf(end) < newest.height);
    if (older.length === 0)
      throw new Failure("unknown-committee", "the node does not lead to its newest block");
    for (const end of older) trusted = must(genesis, bls, trusted, end);
    next = tried(genesis, bls, trusted, answer);
    if (next !== undefined) trusted = next;
  }
  trusted = must(genesis, bls, trusted, answer);
  const records = new Map<string, Uint8Array>();
  for (const key of keys) {
    const record = answer.records.find((one) => keyOf(one.key) === keyOf(key));
    const bad = record === undefined ? undefined : badProof(trusted, record);
    if (record === undefined || bad !== undefined)
      throw new Failure("bad-proof", bad?.message ?? "the node gave no proof");
    if (record.value !== undefined) records.set(keyOf(key), record.value);
  }
  const { height, header } = trusted;
  return { view: { get: (key) => records.get(keyOf(key)) }, height, time: header.time };
}

function heightOf({ header }: Finality): number {
  const parsed = headerCodec.parse(header);
  return isRejected(parsed) ? Number.POSITIVE_INFINITY : parsed.height;
}

/** Undefined when a committee on the way is not known yet. */
function tried(
  genesis: Genesis,
  bls: Bls,
  trusted: Trusted,
  finality: Finality,
): Trusted | undefined {
  const next = advance(genesis, bls, trusted, finality);
  if (isRejected(next) && next.code === "unknown-committee") return undefined;
  if (isRejected(next)) throw new Failure(next.code, next.message);
  return next;
}

function must(genesis: Genesis, bls: Bls, trusted: Trusted, finality: Finality): Trusted {
  const next = advance(genesis, bls, trusted, finality);
  if (isRejected(next)) throw new Failure(next.code, next.message);
  return next;
}
