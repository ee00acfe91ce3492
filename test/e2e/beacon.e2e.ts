// The beacon on four nodes and their relays, as processes: one operator is killed, the other three contribute, walk the
// delay, and what comes out orders proposers. Anybody replays it from the blocks of one node.
import { Failure, isRejected, keyOf, must, toHex } from "@causeway/primitives";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createBls } from "../../chain-core/src/adapters/bls.ts";
import { testClient } from "../../chain-core/src/adapters/testing.ts";
import { orderOf } from "../../chain-core/src/beacon/output.ts";
import { replayTranscript } from "../../chain-core/src/beacon/transcript.ts";
import { epochRecord } from "../../chain-core/src/client/beacon-record.ts";
import { readState } from "../../chain-core/src/client/read-state.ts";
import { committeeAt } from "../../chain-core/src/ledger/epoch/epochs.ts";
import type { Network } from "../../deploy/devnet/network.ts";
import { createNetwork } from "../../deploy/devnet/network.ts";

const epochMs = 15_000;
const killed = 3;
const bls = createBls();
let network: Network;
const clients: ReturnType<typeof testClient>[] = [];
const client = (i: number): ReturnType<typeof testClient> => must(clients[i], "client");
const until = (check: () => unknown, timeout: number): Promise<unknown> =>
  vi.waitFor(check, { timeout, interval: 100 });

beforeAll(async () => {
  network = await createNetwork({
    params: {
      epochMs,
      blockIntervalMs: 200,
      heartbeatMs: 500,
      beaconWindowMs: 5_000,
      beaconDifficulty: 1_024,
      beaconSegments: 4,
      beaconSegmentSteps: 5_000,
      beaconTurnMs: 700,
    },
  });
  for (const { settings } of network.operators) clients.push(testClient(settings.ports.nodeRpc));
  await Promise.all(
    network.operators.map(async (one) => {
      await one.startOne("node");
      await one.startOne("gateway");
    }),
  );
}, 60_000);
afterAll(async () => {
  for (const one of clients) one.close();
  await network.stop();
});

test("those of four that are there contribute, the output is replayed from the blocks, and proposers follow it", async () => {
  const { genesis } = network;
  const operator = must(network.operators[killed], "operator");
  await operator.kill();
  // An epoch whose window began without the killed one; a crowded machine may miss a window or two.
  const shown = async (i: number) => client(i).ask("beacon", {});
  const running = (await shown(0)).epoch;
  let epoch = 0;
  await until(async () => {
    epoch = (await shown(0)).outputs[0]?.epoch ?? 0;
    expect(epoch).toBeGreaterThan(running);
  }, 6 * epochMs);

  const { transcript, output } = await epochRecord(client(0), genesis, epoch);
  const committeeOn = (i: number, of: number): Promise<string[]> =>
    readState(client(i), (state) =>
      must(committeeAt(state, of), "committee").members.map(({ validator }) => keyOf(validator)),
    );
  const dead = keyOf(must(genesis.validators[killed], "validator").owner);
  const committee = await committeeOn(1, epoch);
  const seats = transcript.contributions.map(({ seat }) => seat).toSorted();
  expect(seats.length).toBeGreaterThanOrEqual(2);
  expect(seats.map((seat) => committee[seat])).not.toContain(dead);
  const replayed = replayTranscript(bls, transcript);
  if (isRejected(replayed)) throw new Failure(replayed.code, replayed.message);
  expect(toHex(replayed)).toBe(toHex(must(output, "output")));
  // A contribution less, and it is another one.
  const without = { ...transcript, contributions: transcript.contributions.slice(1) };
  expect(isRejected(replayTranscript(bls, without))).toBe(true);

  await until(async () => {
    for (const i of [0, 1, 2]) expect((await shown(i)).epoch).toBe(epoch + 1);
  }, epochMs + 5_000);
  const elected = genesis.validators.map(({ owner }) => keyOf(owner));
  const order = orderOf(genesis.networkId, replayed, epoch + 2, 4);
  for (const i of [0, 1, 2]) {
    const { outputs } = await shown(i);
    expect(outputs.find((one) => one.epoch === epoch)?.output).toEqual(replayed);
    expect(await committeeOn(i, epoch + 2)).toEqual(order.map((at) => elected[at]));
  }
  const { height } = await client(0).status();
  expect(await client(0).waitForHeight(height + 3, 5_000)).toBeGreaterThanOrEqual(height + 3);
}, 200_000);
