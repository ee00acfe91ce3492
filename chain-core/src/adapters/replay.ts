// The chain once more from its genesis, on a database of its own that is thrown away: what every block changed, for
// whoever needs more than the newest state. Signatures and walks are not checked again: the blocks are final here.
import { rmSync } from "node:fs";
import type { Bls } from "@causeway/primitives";
import { Failure, isRejected, keyOf } from "@causeway/primitives";
import { openLevelStore } from "@causeway/primitives/adapters/level-store";
import { blockCodec } from "../codec/block.ts";
import { applyBlock } from "../ledger/apply.ts";
import type { LedgerEnv } from "../ledger/env.ts";
import { genesisState } from "../ledger/genesis-state.ts";
import { emptyTree, update } from "../ledger/tree.ts";
import type { FinalBlock } from "../node/machine.ts";
import type { Change } from "./movements.ts";

export type Replayed = Omit<Change, "transactions"> & {
  readonly receipts: readonly { readonly id: Uint8Array; readonly bytes: Uint8Array }[];
};

/**
 * Every block from the genesis (height 0) to `height`, oldest first; only the genesis when block 1 was pruned.
 * `folder` is made and removed. Throws Failure "state-mismatch" when a block does not apply.
 */
export async function* replay(
  { genesis, bls, protocol }: Omit<LedgerEnv, "verified">,
  blocks: (height: number) => FinalBlock | undefined,
  height: number,
  folder: string,
): AsyncGenerator<Replayed> {
  const puts = genesisState(genesis);
  yield { height: 0, puts, old: () => undefined, receipts: [] };
  if (blocks(1) === undefined) return;
  rmSync(folder, { recursive: true, force: true });
  const db = await openLevelStore(folder, { create: true });
  try {
    await db.write(puts);
    const env: LedgerEnv = {
      genesis,
      bls: trusting(bls),
      protocol,
      verified: { has: () => true, add: () => {}, knows: () => true },
      verdicts: { get: () => true, set: () => {} },
    };
    let tree = update(emptyTree, puts);
    for (let at = 1; at <= height; at++) {
      const final = blocks(at);
      if (final === undefined) throw new Failure("state-mismatch", `block ${at} is missing`);
      const applied = applyBlock(env, db, tree, blockCodec.decode(final.block));
      if (isRejected(applied))
        throw new Failure("state-mismatch", `block ${at} does not apply: ${applied.message}`);
      const before = new Map(applied.puts.map(({ key }) => [keyOf(key), db.get(key)]));
      const old = (key: Uint8Array): Uint8Array | undefined => before.get(keyOf(key));
      yield { height: at, puts: applied.puts, old, receipts: applied.receipts };
      await db.write(applied.puts);
      tree = applied.tree;
    }
  } finally {
    await db.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function trusting(bls: Bls): Bls {
  return { ...bls, verify: () => true, verifyAggregate: () => true };
}
