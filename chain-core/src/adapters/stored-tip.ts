// Where a store that is here stands, for a node that decides how to go on: what it may trust (CON-6), and the ends of
// epochs that it keeps for others.
import type { Store } from "@causeway/primitives";
import { equal, Failure, must } from "@causeway/primitives";
import { openLevelStore } from "@causeway/primitives/adapters/level-store";
import { blockId, committeeId } from "../codec/block.ts";
import { committeeAt, committeeOfHeight, epochOf } from "../ledger/epoch/epochs.ts";
import type { Genesis } from "../ledger/genesis.ts";
import type { Trusted } from "../light.ts";
import { trustGenesis } from "../light.ts";
import type { Joined } from "../snapshot/join-state.ts";
import { endsFrom, finalAt, resyncAdvice } from "./node-blocks.ts";
import { metaKeys, stateKey } from "./node-keys.ts";
import { headCodec } from "./node-records.ts";

export type StoredTip = { readonly trusted: Trusted; readonly ends: Joined["ends"] };

/** Throws Failure "state-mismatch" where the store is damaged, and those of openLevelStore. */
export async function storedTip(folder: string, genesis: Genesis): Promise<StoredTip> {
  const db = await openLevelStore(folder, { create: false, advice: resyncAdvice });
  try {
    return { trusted: trustedIn(db, genesis), ends: await endsIn(db) };
  } catch (cause) {
    // Whatever is missing here, or does not decode, was once written whole.
    throw new Failure("state-mismatch", `${folder} is damaged: ${resyncAdvice}`, { cause });
  } finally {
    await db.close();
  }
}

function trustedIn(db: Store, genesis: Genesis): Trusted {
  const { height } = headCodec.decode(must(db.get(metaKeys.head), "head"));
  if (height === 0) return trustGenesis(genesis);
  const { networkId } = genesis;
  const { header } = must(finalAt(db, height), "newest header");
  const state = { get: (key: Uint8Array) => db.get(stateKey(key)) };
  const { number } = epochOf(state);
  const nextCommittee = [number, number + 1]
    .map((epoch) => committeeAt(state, epoch))
    .find((one) => one !== undefined && equal(committeeId(networkId, one), header.nextCommittee));
  return {
    height,
    id: blockId(networkId, header),
    header,
    committee: committeeOfHeight(state, height),
    nextCommittee: must(nextCommittee, "next committee"),
  };
}

async function endsIn(db: Store): Promise<Joined["ends"]> {
  const ends: Joined["ends"][number][] = [];
  for await (const end of endsFrom(db, 0)) ends.push(end);
  return ends;
}
