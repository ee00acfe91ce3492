// One look at the final ledger by its proofs, for a person's command: the node is asked, not believed (CON-6, CON-8).
import type { NodeClient } from "@causeway/chain-core/client";
import type { Genesis, StateReader } from "@causeway/chain-core/interchain";
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
  const trusted = await followed(client, genesis, bls, answer);
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

/** From the genesis to this header, over as many ends of epochs as that needs. */
async function followed(
  client: Pick<NodeClient, "ask">,
  genesis: Genesis,
  bls: Bls,
  newest: Finality,
): Promise<Trusted> {
  let trusted = startOf(genesis);
  for (;;) {
    const last = advance(genesis, bls, trusted, newest);
    if (!isRejected(last)) return last;
    if (last.code !== "unknown-committee") throw new Failure(last.code, last.message);
    const { ends } = await client.ask("ends", { from: trusted.height + 1 });
    if (ends.length === 0)
      throw new Failure("unknown-committee", "the node does not lead to its newest block");
    for (const end of ends) {
      const next = advance(genesis, bls, trusted, end);
      if (isRejected(next)) throw new Failure(next.code, next.message);
      trusted = next;
      // Past the newest header nothing is of use, and before it each end has to be met.
      if (!isRejected(advance(genesis, bls, trusted, newest))) break;
    }
  }
}
