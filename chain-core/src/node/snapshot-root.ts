// CON-8: the last header of an epoch commits to the snapshot that the epoch began with (ADR 0010).
import type { Bytes32, Rejected } from "@causeway/primitives";
import { equal, isZero, rejected, zero32 } from "@causeway/primitives";
import type { Header } from "../codec/block.ts";
import type { State } from "./state.ts";

type Parts = Pick<State, "frame" | "context">;

/** In later rounds a proposer commits to nothing: others may not have finished theirs. */
const roundsMax = 2;

/** What a proposer writes; zero as long as it does not know. */
export function proposedSnapshotRoot(
  { frame, context }: Parts,
  time: number,
  round: number,
): Bytes32 {
  if (time < frame.epochEndsAt || round > roundsMax) return zero32;
  return context.snapshotRoot?.(frame.epoch) ?? zero32;
}

export type BadSnapshotRoot = Rejected<"bad-snapshot-root">;

/** What every final header satisfies. */
export function checkSnapshotPlace({ frame }: Parts, header: Header): BadSnapshotRoot | undefined {
  if (isZero(header.snapshotRoot) || header.time >= frame.epochEndsAt) return undefined;
  return rejected("bad-snapshot-root", `block ${header.height} is not the last of its epoch`);
}

/** Whether to vote for a header: a root that this node cannot confirm is none to vote for. */
export function confirmSnapshotRoot(
  { frame, context }: Parts,
  header: Header,
): BadSnapshotRoot | undefined {
  if (isZero(header.snapshotRoot)) return undefined;
  const own = context.snapshotRoot?.(frame.epoch);
  if (own !== undefined && equal(own, header.snapshotRoot)) return undefined;
  const why = own === undefined ? "is not known here yet" : "is another here";
  return rejected("bad-snapshot-root", `the snapshot of epoch ${frame.epoch} ${why}`);
}
