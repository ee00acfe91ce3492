// What a node says of its ring is enough to draw it again, and passes the RPC's own shapes.
import type { Bytes32 } from "@causeway/primitives";
import { bytes32, equal, isRejected, must, zero32 } from "@causeway/primitives";
import { expect, test } from "vitest";
import { ringApi } from "../client/ring-api.ts";
import { drawAgain } from "../client/ring-draw.ts";
import { read } from "../client/wire.ts";
import {
  beat,
  endOfBlock,
  finish,
  ringWorld,
  sendDeal,
  setStatus,
  turnEpoch,
} from "../ledger/ring/testing.ts";
import { testGenesis } from "../ledger/testing.ts";
import { ringKeysOf, ringOf } from "./ring-view.ts";

test("a ring and its keys are told as they are", () => {
  const genesis = testGenesis(6, {
    ...{ ringSeats: 4, ringTermEpochs: 2, ringHeartbeatMs: 60_000 },
    ...{ epochMs: 10_000, unbondingMs: 20_000, seats: 6 },
  });
  const world = ringWorld(genesis);
  const { state } = world;
  endOfBlock(world);
  for (const keyId of [1, 2]) finish(world, keyId);
  turnEpoch(world);
  const gone = must(genesis.validators[2], "validator").owner;
  setStatus(world, gone, "exited");
  turnEpoch(world);
  expect(beat(world, 0)).toBe("ok");
  const told = ringApi.ring.result;
  const said = read(told.read, told.write(must(ringOf(state, 1), "ring")));
  if (isRejected(said)) throw new Error(said.message);
  const { output, seats, candidates } = said;
  expect(said).toMatchObject({ term: 1, running: 1, election: "done", epoch: 2, threshold: 3 });
  expect(candidates.filter(({ isGone }) => isGone).map(({ owner }) => owner)).toEqual([gone]);
  const again = (of: Partial<typeof said>, by: Bytes32 = bytes32(output)) =>
    drawAgain(genesis.networkId, { ...said, ...of }, by);
  expect(again({})).toMatchObject({ seats: seats.map(({ validator }) => validator) });
  const richer = candidates.map((one, i) => (i === 0 ? { ...one, stake: one.stake * 9n } : one));
  expect(again({ candidates: richer })).toMatchObject({ code: "wrong-ring" });
  expect(again({ seats: seats.toReversed() })).toMatchObject({ code: "wrong-ring" });
  expect(again({}, zero32)).toMatchObject({ code: "wrong-output" });
  expect(again({ candidates: [] })).toMatchObject({ code: "no-candidates" });
  const genesisRing = must(ringOf(state, 0), "ring");
  expect(again(genesisRing, zero32)).toMatchObject({ code: "not-drawn" });
  const first = must(genesis.validators[0], "validator").owner;
  for (const { validator, beatAt, inService } of seats) {
    expect(beatAt).toBe(equal(validator, first) ? world.time : undefined);
    expect(inService).toBe(true);
  }
  expect(ringOf(state, 2)).toBeUndefined();
  expect(ringOf(state, 0)).toMatchObject({ term: 0, seats: { length: 6 } });

  expect(sendDeal(world, 3, 0)).toBe("ok");
  const keys = ringApi.ringKeys.result;
  const list = read(keys.read, keys.write(ringKeysOf(state)));
  if (isRejected(list)) throw new Error(list.message);
  expect(list.keys).toMatchObject([
    { keyId: 1, key: { term: 0, heldBy: 0 }, ceremony: { purpose: "reshare", term: 1 } },
    {
      keyId: 2,
      key: { term: 0, active: true },
      ceremony: { purpose: "generate", stage: "active" },
    },
    { keyId: 3, key: undefined, ceremony: { purpose: "generate", stage: "deal", dealt: 1 } },
    { keyId: 4, ceremony: { seats: 4, confirmed: 0 } },
  ]);
});
