// What every implementation of a port promises, as named checks without a test framework.
import { assert } from "../assert.ts";
import { equal, utf8 } from "../bytes.ts";
import type { Bls, Bus, Journal, Store } from "../ports.ts";

export type Check = { readonly name: string; readonly run: () => Promise<void> };

const check = (name: string, run: () => Promise<void> | void): Check => ({
  name,
  run: async () => run(),
});

function assertSame(got: readonly Uint8Array[], want: readonly Uint8Array[]): void {
  assert(got.length === want.length, `expected ${want.length} items, got ${got.length}`);
  for (const [i, bytes] of want.entries())
    assert(equal(got[i] ?? new Uint8Array(0), bytes), `item ${i} differs`);
}

function assertThrows(work: () => unknown, message: string): void {
  let threw = false;
  try {
    work();
  } catch {
    threw = true;
  }
  assert(threw, message);
}

/** `disk` makes a fresh disk and gives the function that opens a journal on it, again and again. */
export function journalCompliance(disk: () => () => Journal): Check[] {
  const [a, b, c] = [utf8("a"), new Uint8Array(0), new Uint8Array(70_000).fill(3)];
  return [
    check("gives back what was appended, in order, over a reopening", () => {
      const open = disk();
      const one = open();
      for (const record of [a, b, c]) one.append(record);
      assertSame([...one.read()], [a, b, c]);
      one.close();
      const two = open();
      assertSame([...two.read()], [a, b, c]);
      two.append(a);
      assertSame([...two.read()], [a, b, c, a]);
      two.close();
    }),
    check("rewrites the whole content and goes on from there", () => {
      const open = disk();
      const one = open();
      one.append(a);
      one.rewrite([c, b]);
      one.append(a);
      one.close();
      const two = open();
      assertSame([...two.read()], [c, b, a]);
      two.rewrite([]);
      assertSame([...two.read()], []);
      two.close();
    }),
    check("keeps its own copy of a record", () => {
      const one = disk()();
      const record = utf8("mine");
      one.append(record);
      record.fill(0);
      assertSame([...one.read()], [utf8("mine")]);
      one.close();
    }),
    check("refuses work after close", () => {
      const one = disk()();
      one.close();
      assertThrows(() => one.append(a), "append after close");
    }),
  ];
}

/** As {@link journalCompliance}. */
export function storeCompliance(disk: () => () => Promise<Store>): Check[] {
  const [a, b, c] = [Uint8Array.of(1), Uint8Array.of(1, 0), Uint8Array.of(2)];
  const scanned = async (store: Store, from: Uint8Array, to: Uint8Array): Promise<Uint8Array[]> => {
    const keys: Uint8Array[] = [];
    for await (const [key] of store.scan(from, to)) keys.push(key);
    return keys;
  };
  return [
    check("gives back what was written, over a reopening", async () => {
      const open = disk();
      const one = await open();
      await one.write([
        { key: a, value: utf8("x") },
        { key: b, value: new Uint8Array(0) },
      ]);
      assertSame([one.get(a) ?? c, one.get(b) ?? c], [utf8("x"), new Uint8Array(0)]);
      await one.close();
      const two = await open();
      assertSame([two.get(a) ?? c, two.get(b) ?? c], [utf8("x"), new Uint8Array(0)]);
      assert(two.get(c) === undefined, "an absent key has a value");
      await two.close();
    }),
    check("overwrites and deletes, the last word of a batch winning", async () => {
      const store = await disk()();
      await store.write([{ key: a, value: utf8("x") }]);
      await store.write([{ key: a, value: utf8("y") }, { key: b, value: a }, { key: b }]);
      assertSame([store.get(a) ?? c], [utf8("y")]);
      assert(store.get(b) === undefined, "a deleted key has a value");
      await store.close();
    }),
    check("scans a half-open range in key order", async () => {
      const store = await disk()();
      await store.write([c, b, a].map((key) => ({ key, value: key })));
      assertSame(await scanned(store, a, c), [a, b]);
      assertSame(await scanned(store, b, Uint8Array.of(3)), [b, c]);
      assertSame(await scanned(store, c, c), []);
      await store.close();
    }),
  ];
}

/** `make` gives a fresh instance; secrets are 32 bytes, as a number below the group order. */
export function blsCompliance(make: () => Bls): Check[] {
  const secrets = [1, 2, 3].map((i) => new Uint8Array(32).fill(i));
  const [message, other] = [utf8("message"), utf8("other")];
  const signed = (bls: Bls): { keys: Uint8Array[]; signatures: Uint8Array[] } => ({
    keys: secrets.map((secret) => bls.publicKey(secret)),
    signatures: secrets.map((secret) => bls.sign(secret, message)),
  });
  const flipped = (bytes: Uint8Array): Uint8Array =>
    bytes.map((byte, i) => (i === 9 ? ~byte : byte));
  return [
    check("has keys of 48 and signatures of 96 bytes, the same for the same input", () => {
      const bls = make();
      const { keys, signatures } = signed(bls);
      assert(
        keys.every((key) => key.length === 48),
        "key size",
      );
      assert(
        signatures.every((signature) => signature.length === 96),
        "signature size",
      );
      assertSame(signed(bls).signatures, signatures);
    }),
    check("accepts a signature only for its key and its message", () => {
      const bls = make();
      const { keys, signatures } = signed(bls);
      const [key, signature] = [keys[0] ?? message, signatures[0] ?? message];
      assert(bls.verify(key, message, signature), "a true signature is refused");
      assert(!bls.verify(key, other, signature), "another message is accepted");
      assert(!bls.verify(keys[1] ?? message, message, signature), "another key is accepted");
      assert(!bls.verify(key, message, flipped(signature)), "changed bytes are accepted");
    }),
    check("answers false for malformed bytes of any length", () => {
      const bls = make();
      const { keys, signatures } = signed(bls);
      for (const size of [0, 1, 47, 48, 95, 96, 97, 192]) {
        const junk = new Uint8Array(size).fill(0xff);
        assert(!bls.verify(junk, message, signatures[0] ?? junk), `key of ${size} bytes`);
        assert(!bls.verify(keys[0] ?? junk, message, junk), `signature of ${size} bytes`);
        assert(!bls.verifyAggregate([junk], message, junk), `aggregate of ${size} bytes`);
      }
      const infinity = Uint8Array.of(0xc0, ...new Uint8Array(95));
      assert(!bls.verify(infinity.slice(0, 48), message, infinity), "the point at infinity");
    }),
    check("verifies many signatures of one message at once, and none that is another's", () => {
      const bls = make();
      const { keys, signatures } = signed(bls);
      const each = bls.verifyEach;
      if (each === undefined) return;
      assert(each(keys, message, signatures), "true signatures are refused");
      assert(!each(keys, message, [...signatures].reverse()), "the sum is right, each is wrong");
      assert(!each(keys, other, signatures), "another message");
      assert(!each(keys, message, signatures.slice(1)), "a signature is missing");
      for (const junk of [new Uint8Array(0), new Uint8Array(96), new Uint8Array(96).fill(0xff)])
        assert(!each(keys, message, [...signatures.slice(0, -1), junk]), "junk");
    }),
    check("aggregates in any order, and needs every key and no other", () => {
      const bls = make();
      const { keys, signatures } = signed(bls);
      const sum = bls.aggregate(signatures);
      assertSame([bls.aggregate([...signatures].reverse())], [sum]);
      assert(bls.verifyAggregate(keys, message, sum), "a true aggregate is refused");
      assert(!bls.verifyAggregate(keys.slice(1), message, sum), "a key is missing");
      assert(!bls.verifyAggregate([...keys, keys[0] ?? sum], message, sum), "a key counts twice");
      assert(!bls.verifyAggregate([], message, sum), "no key at all");
      assert(!bls.verifyAggregate(keys, other, sum), "another message");
    }),
  ];
}

/** `disk` makes a fresh disk and gives the function that opens a bus on it. */
export function busCompliance(disk: () => () => Promise<Bus>): Check[] {
  const messages = [1, 2, 3].map((i) => utf8(`message ${i}`));
  /** Resolves with the first `count` messages that the subscriber handles. */
  const take = (bus: Bus, subscriber: string, count: number): Promise<Uint8Array[]> =>
    new Promise((resolve) => {
      const got: Uint8Array[] = [];
      const stop = bus.subscribe("hints", subscriber, async (message) => {
        got.push(message);
        if (got.length === count)
          // After the acknowledgement of this message, so that the next subscription begins behind it.
          void Promise.resolve().then(() => resolve(got));
        if (got.length > count) stop();
      });
    });
  return [
    check("delivers in order what was published before and after the subscription", async () => {
      const bus = await disk()();
      await bus.publish("hints", messages[0] ?? messages[1] ?? utf8(""));
      const taken = take(bus, "a", 3);
      for (const message of messages.slice(1)) await bus.publish("hints", message);
      assertSame(await taken, messages);
      await bus.close();
    }),
    check("gives every subscriber its own copy, and nothing of another topic", async () => {
      const bus = await disk()();
      for (const message of messages) {
        await bus.publish("requests", utf8("other topic"));
        await bus.publish("hints", message);
      }
      const both = await Promise.all([take(bus, "a", 3), take(bus, "b", 3)]);
      for (const got of both) assertSame(got, messages);
      await bus.close();
    }),
    check("offers a message again until its handler succeeds", async () => {
      const bus = await disk()();
      let calls = 0;
      const handled = new Promise<void>((resolve) => {
        bus.subscribe("broadcasts", "a", async () => {
          calls += 1;
          if (calls < 3) throw new Error("not yet");
          resolve();
        });
      });
      await bus.publish("broadcasts", messages[0] ?? utf8(""));
      await handled;
      await bus.close();
    }),
    check("keeps what nobody acknowledged over a restart", async () => {
      const open = disk();
      const one = await open();
      for (const message of messages) await one.publish("hints", message);
      await one.close();
      const two = await open();
      assertSame(await take(two, "late", 3), messages);
      await two.close();
    }),
  ];
}
