// The bus over a real socket and real journals, and its twin in memory, against one suite; then restarts.
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { utf8 } from "../bytes.ts";
import type { Bus, Log } from "../ports.ts";
import { seeded } from "../random.ts";
import type { BusDisk } from "../testing.ts";
import { busCompliance, memoryBus, memoryJournal } from "../testing.ts";
import { openBus } from "./bus.ts";
import { openTopicLog } from "./bus-log.ts";
import type { BusServer } from "./bus-server.ts";
import { startBusServer } from "./bus-server.ts";

const log: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => log,
};
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

type Place = { readonly socket: string; readonly folder: string };
function place(): Place {
  const folder = mkdtempSync(join(tmpdir(), "bus-"));
  closing.push(() => rmSync(folder, { recursive: true }));
  return { socket: join(folder, "bus.sock"), folder: join(folder, "journals") };
}
async function serve(at: Place): Promise<BusServer> {
  const server = await startBusServer({ ...at, log });
  closing.push(server.close);
  return server;
}
function client(at: Place): Bus {
  const bus = openBus({ socket: at.socket, log });
  closing.push(bus.close);
  return bus;
}
const eventually = (check: () => void): Promise<void> =>
  vi.waitFor(check, { timeout: 5_000, interval: 5 });

for (const { name, run } of busCompliance(() => {
  const at = place();
  return async () => {
    const server = await serve(at);
    const bus = client(at);
    return {
      ...bus,
      close: async () => {
        await bus.close();
        await server.close();
      },
    };
  };
}))
  test(`bus on a socket: ${name}`, run);

for (const { name, run } of busCompliance(() => {
  const disk: BusDisk = { messages: new Map(), cursors: new Map() };
  return async () => memoryBus(disk);
}))
  test(`bus in memory: ${name}`, run);

test("clients live through a restart of the server: nothing published is lost, nothing acknowledged comes again", async () => {
  const at = place();
  const first = await serve(at);
  const [relay, signer] = [client(at), client(at)];
  const got: string[] = [];
  signer.subscribe("hints", "signer", async (message) => {
    got.push(Buffer.from(message).toString());
  });
  await relay.publish("hints", utf8("1"));
  await eventually(() => expect(got).toEqual(["1"]));
  await first.close();
  const waiting = relay.publish("hints", utf8("2"));
  const second = await serve(at);
  await waiting;
  await relay.publish("hints", utf8("3"));
  await eventually(() => expect(got).toEqual(["1", "2", "3"]));
  await second.close();
});

test("a subscriber that restarts goes on after the last message that it finished", async () => {
  const at = place();
  await serve(at);
  const relay = client(at);
  for (const text of ["1", "2", "3"]) await relay.publish("hints", utf8(text));
  const one = client(at);
  const seen: string[] = [];
  one.subscribe("hints", "signer", async (message) => {
    seen.push(Buffer.from(message).toString());
    if (seen.length === 2) await new Promise(() => undefined); // dies while it handles the second
  });
  await eventually(() => expect(seen).toEqual(["1", "2"]));
  await one.close();
  const again: string[] = [];
  client(at).subscribe("hints", "signer", async (message) => {
    again.push(Buffer.from(message).toString());
  });
  await eventually(() => expect(again).toEqual(["2", "3"]));
});

test("the socket is private, a second server is refused, and a crashed one's socket is taken over", async () => {
  const at = place();
  const server = await serve(at);
  expect(statSync(at.socket).mode & 0o777).toBe(0o600);
  await expect(startBusServer({ ...at, log })).rejects.toMatchObject({ code: "in-use" });
  await server.close();
  await expect(
    startBusServer({ ...at, socket: `/tmp/${"x".repeat(120)}`, log }),
  ).rejects.toMatchObject({
    code: "bad-path",
  });
});

test("random bytes on the socket end that connection only", async () => {
  const at = place();
  await serve(at);
  const bus = client(at);
  await bus.publish("hints", utf8("before"));
  const random = seeded(3);
  for (let i = 0; i < 30; i++)
    await new Promise<void>((resolve) => {
      const socket = connect(at.socket);
      socket.on("close", () => resolve());
      socket.on("error", () => undefined);
      socket.end(random.bytes(400));
    });
  await bus.publish("hints", utf8("after"));
  await expect(bus.publish("hints", new Uint8Array(600_000))).rejects.toMatchObject({
    code: "too-large",
  });
});

test("a topic's journal shrinks once all have read, and its numbers go on over a reopening", () => {
  const records: Uint8Array[] = [];
  const open = (): ReturnType<typeof openTopicLog> =>
    openTopicLog(memoryJournal(records), "hints", log);
  const topic = open();
  topic.cursor("a");
  topic.cursor("b");
  for (let i = 1; i <= 30; i++) topic.publish(new Uint8Array(100_000).fill(i));
  const size = (): number => records.reduce((sum, { length }) => sum + length, 0);
  topic.acknowledge("a", 30);
  expect(size()).toBeGreaterThan(3_000_000);
  topic.acknowledge("b", 20);
  expect(topic.after(20)?.message[0]).toBe(21);
  topic.acknowledge("b", 30);
  topic.publish(new Uint8Array(200_000));
  topic.acknowledge("a", 31);
  topic.acknowledge("b", 31);
  expect(size()).toBeLessThan(300_000);
  topic.close();
  const again = open();
  expect([again.cursor("a"), again.cursor("b")]).toEqual([31, 31]);
  again.publish(utf8("next"));
  expect(again.after(31)).toEqual({ sequence: 32, message: utf8("next") });
});

test("what nobody reads is bounded: the oldest go", () => {
  const topic = openTopicLog(memoryJournal(), "hints", log);
  for (let i = 0; i < 140; i++) topic.publish(new Uint8Array(500_000));
  expect(topic.after(0)?.sequence).toBe(140 - 134 + 1);
});
