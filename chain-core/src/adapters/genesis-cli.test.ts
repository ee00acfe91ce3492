// `causeway genesis` with real files.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRejected, toHex } from "@causeway/primitives";
import { systemEntropy } from "@causeway/primitives/adapters/entropy";
import { afterAll, beforeAll, expect, test } from "vitest";
import { formatLock } from "../ledger/assets.ts";
import { encodeGenesisBody, parseGenesis, parseGenesisBody } from "../ledger/genesis-file.ts";
import type { KeyRole } from "../ledger/possession.ts";
import { testBls, testGenesisBody, testLock, validatorSecret } from "../ledger/testing.ts";
import { bystackParams, presets } from "../params/presets.ts";
import { genesisCommand } from "./genesis-cli.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "genesis-cli-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function run(...args: string[]): Promise<Record<string, unknown>> {
  const printed: string[] = [];
  await genesisCommand([...args, "--json"], {
    env: {},
    print: (line) => printed.push(line),
    secret: async () => "",
    confirm: async () => false,
    entropy: systemEntropy,
    nowMs: () => 1_800_000_000_000,
  });
  return JSON.parse(printed[0] ?? "") as Record<string, unknown>;
}
function file(name: string, content: string): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}
const address = (i: number): string => formatLock(testLock(`holder ${i}`));
const csv = (count: number): string =>
  Array.from({ length: count }, (_, i) => `${address(i)},${i + 1}\n`).join("");

test("a snapshot is imported, and a holder checks the own row under its root", async () => {
  const path = file("all.csv", csv(1_000));
  const { root, rows, total } = await run("import", path, "--total", "500500");
  expect([rows, total]).toEqual([1_000, "500500"]);
  await expect(run("import", path, "--total", "500501")).rejects.toMatchObject({
    code: "bad-snapshot",
  });
  await expect(run("import", file("twice.csv", `${csv(3)}${csv(1)}`))).rejects.toThrow(
    /line 4: .* line 1/,
  );
  await expect(run("import", join(folder, "none.csv"))).rejects.toMatchObject({ code: "no-file" });
  const proof = join(folder, "proof.json");
  await run("prove-line", path, "--address", address(617), "--out", proof);
  const committed = ["--root", String(root), "--rows", "1000"];
  expect(await run("verify-line", proof, ...committed)).toEqual({
    address: address(617),
    amount: "618",
    isProved: true,
  });
  const said = JSON.parse(readFileSync(proof, "utf8")) as { index: number; path: string[] };
  for (const [i, forged] of [
    { ...said, amount: "619" },
    { ...said, index: said.index + 1 },
    { ...said, address: address(0) },
    { ...said, path: said.path.slice(1) },
  ].entries())
    await expect(
      run("verify-line", file(`forged-${i}.json`, JSON.stringify(forged)), ...committed),
    ).rejects.toMatchObject({ code: "not-proved" });
  for (const [i, broken] of [{}, { ...said, index: "1" }, { ...said, path: ["x"] }].entries())
    await expect(
      run("verify-line", file(`broken-${i}.json`, JSON.stringify(broken)), ...committed),
    ).rejects.toMatchObject({ code: expect.stringMatching(/bad-file|usage/) as string });
  await expect(
    run("prove-line", path, "--address", formatLock(testLock("stranger"))),
  ).rejects.toMatchObject({ code: "not-found" });
});

test("a genesis is a preset, a draft and few balances; what does not fit together is refused", async () => {
  const whole = JSON.parse(Buffer.from(encodeGenesisBody(testGenesisBody(4))).toString()) as Record<
    string,
    unknown
  >;
  const { params: _, balances: __, time: ___, ...rest } = whole;
  const draft = file("draft.json", JSON.stringify({ ...rest, params: { seats: 4 } }));
  const balances = file("few.jsonl", `{"address":"${address(1)}","amount":"77"}\n`);
  const out = join(folder, "genesis.json");
  const args = ["new", "--draft", draft, "--out", out, "--balances", balances];
  const told = await run(...args, "--preset", "bystack");
  const parsed = parseGenesisBody(readFileSync(out));
  if (isRejected(parsed)) throw new Error(parsed.message);
  expect(told).toMatchObject({ validators: 4, balances: 1 });
  expect(parsed.params).toEqual({ ...bystackParams, seats: 4 });
  expect(parsed.balances).toEqual([{ lock: testLock("holder 1"), amount: 77n }]);
  expect(parsed.time).toBe(1_800_000_000_000);
  await expect(run(...args, "--preset", "bystack")).rejects.toMatchObject({ code: "file-exists" });
  await expect(run(...args, "--preset", "toString")).rejects.toMatchObject({ code: "usage" });
  const wrong = file("wrong.json", JSON.stringify({ ...rest, params: { creditDepth: 9 } }));
  await expect(
    run("new", "--draft", wrong, "--out", join(folder, "x"), "--preset", "devnet"),
  ).rejects.toThrow(/creditDepth/);
  const many = file("many.csv", csv(10_001));
  await expect(
    run(
      "new",
      "--draft",
      draft,
      "--out",
      join(folder, "y"),
      "--preset",
      "devnet",
      "--balances",
      many,
    ),
  ).rejects.toMatchObject({ code: "too-many" });
});

test("operators prove their keys over the body, and the proofs of all make the second file", async () => {
  const body = testGenesisBody(2);
  const genesis = file("body.json", Buffer.from(encodeGenesisBody(body)).toString());
  const keyFile = (name: string, keys: Record<string, string>): string => {
    const path = file(name, JSON.stringify(keys));
    chmodSync(path, 0o600);
    return path;
  };
  const keysOf = (seat: number): string[] => {
    const of = (role: KeyRole): string => toHex(validatorSecret(seat, role));
    const [node, signer, gateway] = [
      { consensus: of("consensusKey"), peer: of("nodePeerKey") },
      { attest: of("attestKey"), host: of("hostKey"), peer: of("signerPeerKey"), passphrase: "p" },
      { relay: of("relayKey"), evm: of("relayKey") },
    ];
    return [
      "--node-keys",
      keyFile(`node-${seat}.json`, node),
      "--signer-keys",
      keyFile(`signer-${seat}.json`, signer),
      "--gateway-keys",
      keyFile(`gateway-${seat}.json`, gateway),
    ];
  };
  const outs = [0, 1].map((seat) => join(folder, `proof-${seat}.json`));
  for (const [seat, out] of outs.entries())
    expect(await run("prove-keys", genesis, ...keysOf(seat), "--out", out)).toMatchObject({
      validator: seat,
    });
  await expect(
    run("prove-keys", genesis, ...keysOf(2), "--out", join(folder, "z")),
  ).rejects.toMatchObject({ code: "stranger" });
  const [first = "", second = ""] = outs;
  const joined = join(folder, "proofs.json");
  await expect(run("join-proofs", genesis, first, "--out", joined)).rejects.toMatchObject({
    code: "missing-proofs",
  });
  const swapped = readFileSync(second, "utf8").replace('"place": 1', '"place": 0');
  await expect(
    run("join-proofs", genesis, file("swapped.json", swapped), second, "--out", joined),
  ).rejects.toMatchObject({ code: "bad-genesis" });
  await run("join-proofs", genesis, second, first, "--out", joined);
  const parsed = parseGenesis(readFileSync(genesis), readFileSync(joined), testBls);
  expect(isRejected(parsed)).toBe(false);
});

test.each(Object.keys(presets))("the preset %s is a genesis' parameters", async (preset) => {
  const { params: _, ...rest } = JSON.parse(
    Buffer.from(encodeGenesisBody(testGenesisBody(4))).toString(),
  ) as Record<string, unknown>;
  const draft = file(`${preset}-draft.json`, JSON.stringify(rest));
  const out = join(folder, `${preset}.json`);
  expect(await run("new", "--draft", draft, "--out", out, "--preset", preset)).toMatchObject({
    validators: 4,
  });
});
