// CON-8: who proposes which snapshot root, and who votes for it.
import { bytes32, zero32 } from "@causeway/primitives";
import { describe, expect, it } from "vitest";
import type { Header } from "../codec/block.ts";
import { checkSnapshotPlace, confirmSnapshotRoot, proposedSnapshotRoot } from "./snapshot-root.ts";
import type { State } from "./state.ts";

const own = bytes32(new Uint8Array(32).fill(7));
const other = bytes32(new Uint8Array(32).fill(8));
const endsAt = 1_000;

/** A node in epoch 3 that knows `root`. */
function node(root: typeof own | undefined): Pick<State, "frame" | "context"> {
  const snapshotRoot = (epoch: number): typeof own | undefined => (epoch === 3 ? root : undefined);
  return { frame: { epoch: 3, epochEndsAt: endsAt }, context: { snapshotRoot } } as never;
}
const header = (time: number, snapshotRoot: Uint8Array): Header =>
  ({ height: 9, time, snapshotRoot }) as Header;

describe("a snapshot root", () => {
  it("is proposed for the last block of an epoch only, when it is known, and in the first rounds", () => {
    expect(proposedSnapshotRoot(node(own), endsAt, 0)).toEqual(own);
    expect(proposedSnapshotRoot(node(own), endsAt - 1, 0)).toEqual(zero32);
    expect(proposedSnapshotRoot(node(undefined), endsAt, 0)).toEqual(zero32);
    expect(proposedSnapshotRoot(node(own), endsAt, 3)).toEqual(zero32);
    const { frame, context } = node(own);
    const later = { frame: { ...frame, epoch: 4 }, context };
    expect(proposedSnapshotRoot(later, endsAt, 0)).toEqual(zero32);
  });

  it("has no place in any other block", () => {
    expect(checkSnapshotPlace(node(own), header(endsAt - 1, own))).toMatchObject({
      code: "bad-snapshot-root",
    });
    expect(checkSnapshotPlace(node(own), header(endsAt - 1, zero32))).toBeUndefined();
    expect(checkSnapshotPlace(node(own), header(endsAt, own))).toBeUndefined();
  });

  it("is voted for when it is the own one, or none; not when it is another, or not known yet", () => {
    expect(confirmSnapshotRoot(node(own), header(endsAt, own))).toBeUndefined();
    expect(confirmSnapshotRoot(node(own), header(endsAt, zero32))).toBeUndefined();
    expect(confirmSnapshotRoot(node(undefined), header(endsAt, zero32))).toBeUndefined();
    for (const known of [other, undefined])
      expect(confirmSnapshotRoot(node(known), header(endsAt, own))).toMatchObject({
        code: "bad-snapshot-root",
      });
  });
});
