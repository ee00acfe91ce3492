// Whether and how a starting node joins by a snapshot (CON-6, ADR 0010).
import type { Bls, Clock, Log } from "@causeway/primitives";
import { equal, Failure, fromHex, isRejected } from "@causeway/primitives";
import type { Genesis } from "../ledger/genesis.ts";
import type { Trusted } from "../light.ts";
import { trustGenesis } from "../light.ts";
import { tooOld } from "../snapshot/join.ts";
import type { Checkpoint } from "../snapshot/join-state.ts";
import type { Joiner } from "./data-folder.ts";
import { joinBySnapshot } from "./join.ts";
import { openStaging } from "./staging.ts";
import type { StoredTip } from "./stored-tip.ts";
import { storedTip } from "./stored-tip.ts";
import type { SyncService } from "./sync-service.ts";

/** auto: where blocks would take long or are pruned everywhere; snapshot: insist; blocks: never. */
export type SyncMode = "auto" | "snapshot" | "blocks";

const day = 86_400_000;
/**
 * How old a point may be that is believed without a second source, ms: two thirds of the unbonding delay (CON-6). A day
 * at least, for networks of developers whose stake is free within minutes.
 */
function trustMsMax({ params }: Genesis): number {
  return Math.max(day, Math.floor((params.unbondingMs * 2) / 3));
}

/** The first snapshot is committed to when epoch 1 ends. */
const epochsMin = 2;
/** Who prunes keeps the blocks of so many whole epochs. */
const epochsKept = 3;

export type JoinNodeOptions = {
  readonly mode: SyncMode;
  readonly checkpoint: Checkpoint | undefined;
  readonly hasPeers: boolean;
  /** It wants every block, and so has to sync by them. */
  readonly archive: boolean;
  readonly genesis: Genesis;
  readonly bls: Bls;
  readonly service: SyncService;
  readonly startNetwork: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
};

/** Throws Failure "bad-config". */
export function parseSyncMode(text: string): SyncMode {
  if (text === "auto" || text === "snapshot" || text === "blocks") return text;
  throw new Failure("bad-config", `CAUSEWAY_SYNC: must be auto, snapshot or blocks, got ${text}`);
}

/** "height:hash of the block in hex"; throws Failure "bad-config". */
export function parseCheckpoint(text: string | undefined): Checkpoint | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text);
  if (match?.[1] === undefined || match[2] === undefined)
    throw new Failure("bad-config", "CAUSEWAY_CHECKPOINT: must be height:hash, 64 hex digits");
  return { height: Number(match[1]), id: fromHex(match[2]) };
}

/**
 * Throws Failure "checkpoint-mismatch" where block `height` of this node is not the one that the operator confirmed. A
 * chain of blocks up to the confirmed one shows that everything before it is true too.
 */
export function checkAgainst(
  checkpoint: Checkpoint | undefined,
  height: number,
  id: Uint8Array,
): void {
  if (checkpoint?.height !== height || equal(checkpoint.id, id)) return;
  const sentence = `block ${height} here is not that of CAUSEWAY_CHECKPOINT: check it at a third source, and start on a new folder if it is right`;
  throw new Failure("checkpoint-mismatch", sentence);
}

/** Throws Failure "checkpoint-needed" before a node goes on from a point that is too old (CON-6). */
export function joinerOf(options: JoinNodeOptions): Joiner {
  const { mode, genesis, clock, log } = options;
  return async (store, folder) => {
    const have = store === undefined ? undefined : await storedTip(store, genesis);
    const start = have?.trusted ?? trustGenesis(genesis);
    if (!isTrustworthy(options, start))
      throw new Failure("checkpoint-needed", tooOld(start, clock.nowMs()));
    if (mode === "blocks" || (mode === "auto" && !isWorthIt(options, have))) return false;
    await options.startNetwork();
    for (;;) {
      const staging = await openStaging(folder, genesis);
      const config = {
        network: genesis.networkId,
        bls: options.bls,
        start,
        ...(options.checkpoint && { checkpoint: options.checkpoint }),
        trustMsMax: trustMsMax(genesis),
        above: start.height,
      };
      const earlier = have?.ends ?? [];
      const result = await joinBySnapshot({
        ...options,
        ...{ config, staging, earlier, clock, log },
      }).finally(staging.close);
      if (!isRejected(result)) return true;
      if (result.code !== "no-snapshot") throw new Failure(result.code, result.message);
      log.warn("no snapshot to join by", { reason: result.message });
      // What is here already goes on by blocks.
      if (mode === "auto" || have !== undefined) return false;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  };
}

function isTrustworthy(
  { hasPeers, checkpoint, genesis, clock }: JoinNodeOptions,
  { header }: Trusted,
): boolean {
  const age = clock.nowMs() - header.time;
  return !hasPeers || checkpoint !== undefined || age <= trustMsMax(genesis);
}

function isWorthIt(
  { hasPeers, archive, genesis, clock }: JoinNodeOptions,
  have: StoredTip | undefined,
): boolean {
  if (archive || !hasPeers) return false;
  const age = clock.nowMs() - (have?.trusted.header.time ?? genesis.time);
  return age > (have === undefined ? epochsMin : epochsKept) * genesis.params.epochMs;
}
