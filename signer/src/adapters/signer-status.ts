// `causeway signer status`: what the running process says of itself, and what the ledger says of its seats.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { NodeClient } from "@causeway/chain-core/client";
import { readState } from "@causeway/chain-core/client";
import type { StateReader } from "@causeway/chain-core/interchain";
import {
  activeKeys,
  ceremonyOf,
  ceremonyStages,
  headerCodec,
  keys,
  listNames,
  lists,
  openCeremonies,
  planStatus,
  plans,
} from "@causeway/chain-core/interchain";
import { equal, Failure, isRejected, isZero } from "@causeway/primitives";
import { shareFileName } from "../share-file.ts";
import type { HealthReport } from "./health.ts";
import { healthFileName } from "./health.ts";
import type { Reach } from "./peer-link.ts";
import { shareNames } from "./seat-folder.ts";

/** A seat of ours in a key's ring. */
export type OwnSeat = {
  readonly keyId: number;
  /** Of the shares in use. */
  readonly epoch: number;
  readonly seat: number;
  /** On the ledger, and in the folder. */
  readonly confirmed: boolean;
  readonly held: boolean;
  /** "active", or the stage of the ceremony that is under way. */
  readonly stage: string;
};

export type Status = {
  readonly running: boolean;
  readonly health: HealthReport | undefined;
  readonly height: number;
  /** Of the newest final header, by the own clock. */
  readonly headAgeMs: number;
  readonly seats: readonly OwnSeat[];
  /** Open plans of keys in which we have a seat that wait for signatures. */
  readonly plansWaiting: number;
};

/** An older report is of a process that does not run. */
const reportMsMax = 10_000;

/** What health.json says, if it is a report at all. */
export function readHealth(folder: string): HealthReport | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, healthFileName), "utf8")) as HealthReport;
  } catch {
    return undefined;
  }
}

export const isRunning = (report: HealthReport | undefined, nowMs: number): boolean =>
  report !== undefined && Math.abs(nowMs - report.at) < reportMsMax;

/** A signer that is away: "validator 5 at /ip4/..." */
export function awayText({ validator, addresses }: Reach["away"][number]): string {
  return `validator ${validator} ${addresses.length === 0 ? "(no address known)" : `at ${addresses.join(" ")}`}`;
}

/** Believes the own node; `hosts`: own public host keys. Throws Failure of the node. */
export async function statusOf(
  client: NodeClient,
  dataFolder: string,
  hosts: readonly Uint8Array[],
  nowMs: number,
): Promise<Status> {
  const health = readHealth(dataFolder);
  const files = new Set(shareNames(dataFolder));
  const finality = await client.finality();
  const header = headerCodec.parse(finality?.header ?? new Uint8Array(0));
  if (isRejected(header)) throw new Failure("bad-response", "the node's newest header is none");
  const told = await readState(client, (state) => {
    const seats = seatsOf(state, hosts, files);
    return { seats, plansWaiting: waiting(state, new Set(seats.map(({ keyId }) => keyId))) };
  });
  const { height, time } = header;
  return { running: isRunning(health, nowMs), health, height, headAgeMs: nowMs - time, ...told };
}

function seatsOf(
  state: StateReader,
  hosts: readonly Uint8Array[],
  files: ReadonlySet<string>,
): OwnSeat[] {
  const isOwn = ({ hostKey }: { readonly hostKey: Uint8Array }): boolean =>
    hosts.some((host) => equal(host, hostKey));
  const out: OwnSeat[] = [];
  const add = (keyId: number, epoch: number, seat: number, confirmed: boolean, stage: string) => {
    const held = files.has(shareFileName({ keyId, attempt: epoch, seat }));
    out.push({ keyId, epoch, seat, confirmed, held, stage });
  };
  for (const keyId of activeKeys.get(state, "only")?.keyIds ?? []) {
    const key = keys.get(state, keyId);
    for (const [seat, one] of key?.seats.entries() ?? [])
      if (key !== undefined && isOwn(one))
        add(keyId, key.attempt, seat, !isZero(key.shares[seat] ?? new Uint8Array(1)), "active");
  }
  const stages = Object.fromEntries(
    Object.entries(ceremonyStages).map(([name, stage]) => [stage, name]),
  );
  for (const keyId of openCeremonies.get(state, "only")?.keyIds ?? []) {
    const ceremony = ceremonyOf(state, keyId);
    for (const [seat, one] of ceremony?.seats.entries() ?? [])
      if (ceremony !== undefined && isOwn(one)) {
        const confirmed = ceremony.confirmed.some((other) => other.seat === seat);
        add(keyId, ceremony.attempt, seat, confirmed, stages[ceremony.stage] ?? "unknown");
      }
  }
  return out;
}

function waiting(state: StateReader, keyIds: ReadonlySet<number>): number {
  const ids = lists.get(state, listNames.plans)?.ids ?? [];
  return ids.filter((id) => {
    const plan = plans.get(state, id);
    return plan?.status === planStatus.planned && keyIds.has(plan.keyId);
  }).length;
}
