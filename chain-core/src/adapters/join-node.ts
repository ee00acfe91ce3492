// Whether and how a starting node joins by a snapshot (CON-6, ADR 0010).
import type { Bls, Clock, Log } from "@causeway/primitives";
import { Failure, fromHex, isRejected } from "@causeway/primitives";
import type { Genesis } from "../ledger/genesis.ts";
import { trustGenesis } from "../light.ts";
import type { Checkpoint } from "../snapshot/join-state.ts";
import type { Joiner } from "./data-folder.ts";
import { joinBySnapshot } from "./join.ts";
import { openStaging } from "./staging.ts";
import type { SyncService } from "./sync-service.ts";

/** auto: a fresh node of a network that is old enough to have one; snapshot: insist; blocks: never. */
export type SyncMode = "auto" | "snapshot" | "blocks";

/** CON-6: two thirds of an unbonding delay of 21 days, ms. */
const trustMsMax: number = 14 * 86_400_000;
/** The first snapshot is committed to when epoch 1 ends. */
const epochsMin = 2;

export type JoinNodeOptions = {
  readonly mode: SyncMode;
  readonly checkpoint: Checkpoint | undefined;
  readonly hasPeers: boolean;
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

/** Undefined when this node only ever syncs by blocks. */
export function joinerOf(options: JoinNodeOptions): Joiner | undefined {
  const { mode, genesis, clock, log } = options;
  if (mode === "blocks") return undefined;
  return async (height, folder) => {
    if (mode === "auto" && !isWorthIt(options, height)) return false;
    await options.startNetwork();
    for (;;) {
      const staging = await openStaging(folder, genesis);
      const config = {
        network: genesis.networkId,
        bls: options.bls,
        start: trustGenesis(genesis),
        ...(options.checkpoint && { checkpoint: options.checkpoint }),
        trustMsMax,
        above: height ?? 0,
      };
      const result = await joinBySnapshot({ ...options, config, staging, clock, log }).finally(
        staging.close,
      );
      if (!isRejected(result)) return true;
      if (result.code !== "no-snapshot") throw new Failure(result.code, result.message);
      log.warn("no snapshot to join by", { reason: result.message });
      // What is here already goes on by blocks.
      if (mode === "auto" || height !== undefined) return false;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  };
}

function isWorthIt(
  { hasPeers, genesis, clock }: JoinNodeOptions,
  height: number | undefined,
): boolean {
  const age = clock.nowMs() - genesis.time;
  return height === undefined && hasPeers && age > epochsMin * genesis.params.epochMs;
}
