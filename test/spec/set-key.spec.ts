// The change of a contract's key on a real EVM (ETH-1): what the ledger plans and the ring signs, brought as a relay
// brings it, and what the contract does with what the old key had signed.
import type { GatewayEvent, Plan } from "@causeway/chain-core/interchain";
import {
  createAddress,
  gatewayInitCode,
  keyCall,
  keys,
  parseKey,
  parseLog,
  planKinds,
  plans,
  tokenStatus,
  withdrawalStatus,
} from "@causeway/chain-core/interchain";
import { bytes32, isRejected, must } from "@causeway/primitives";
import { addressOf, publicPoint, xOnly } from "@causeway/primitives/secp256k1";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { World } from "../../chain-core/src/ledger/interchain/testing.ts";
import {
  attest,
  endBlock,
  openPlans,
  ringSecrets,
  rotateEvm,
  sign,
} from "../../chain-core/src/ledger/interchain/testing.ts";
import {
  evmOf,
  executedEvent,
  stateContract,
} from "../../chain-core/src/ledger/interchain/testing-evm.ts";
import {
  burn,
  funded,
  withdrawalOf,
} from "../../chain-core/src/ledger/interchain/testing-funded.ts";
import { readArtifact } from "../../contracts/build.ts";
import type { Anvil } from "../../contracts/test/anvil.ts";
import { startAnvil, unhex } from "../../contracts/test/anvil.ts";
import { callOf } from "../../gateway/src/relay/bring.ts";

let anvil: Anvil;
beforeAll(async () => {
  anvil = await startAnvil();
});
afterAll(() => anvil[Symbol.asyncDispose]());

/** The gateway of the world's genesis, deployed with the world's first key of the chain. */
async function deploy(world: World): Promise<void> {
  const from = must(anvil.accounts[0], "account");
  const nonce = Number(await anvil.rpc<string>("eth_getTransactionCount", [from, "latest"]));
  evmOf(world).gateway.set(createAddress(unhex(from), nonce));
  const { guardians, networkId } = world.genesis;
  const token = must(world.genesis.assets[0]?.exports[0], "export").token;
  const data = gatewayInitCode(await readArtifact("Gateway"), {
    network: networkId,
    guardians: guardians.keys.map(addressOf),
    guardianThreshold: guardians.threshold,
    first: { keyId: 2, key: xOnly(publicPoint(ringSecrets[2])) },
    tokens: [{ token, status: tokenStatus.wrapped, capacity: 10n ** 12n }],
  });
  expect((await anvil.send({ from, data })).status).toBe("0x1");
}

/** The ring signs the plan, and its call as a relay makes it. */
function signed(world: World, kind: number): { readonly plan: Plan; readonly data: Uint8Array } {
  const { id } = must(openPlans(world, kind)[0], "plan");
  expect(sign(world, id)).toBeUndefined();
  const plan = must(plans.get(world.state, id), "plan");
  const key = xOnly(must(keys.get(world.state, plan.keyId), "key").groupPoint);
  return { plan, data: callOf(plan, { key, signature: must(plan.signatures[0], "signature") }) };
}

/** What the contract logged, or undefined where it reverted. */
async function send(world: World, data: Uint8Array): Promise<GatewayEvent[] | undefined> {
  const from = must(anvil.accounts[0], "account");
  const to = evmOf(world).gateway;
  try {
    const receipt = await anvil.send({ from, to, data });
    if (receipt.status !== "0x1") return undefined;
    return receipt.logs.flatMap((log) => {
      const event = parseLog(log);
      return isRejected(event) ? [] : [event];
    });
  } catch {
    return undefined;
  }
}

test("the contract takes the planned key; the old signature of an older nonce is worth nothing, the new one runs once", async () => {
  const world = funded();
  await deploy(world);
  const { chain, gateway } = evmOf(world);
  expect(stateContract(world)).toBeUndefined();
  const id = burn(world, { destination: { chain, payload: new Uint8Array(20).fill(4) } });
  endBlock(world);
  const old = signed(world, planKinds.evmBatch);
  rotateEvm(world, 3);
  endBlock(world);
  const change = signed(world, planKinds.evmSetKey);
  expect([old.plan.nonce, change.plan.nonce]).toEqual([1, 2]);

  const key = xOnly(must(keys.get(world.state, 3), "key").groupPoint);
  expect(await send(world, change.data)).toMatchObject([
    { kind: "executed", nonce: 2, digest: change.plan.txid },
    { kind: "key-set", nonce: 2, keyId: 3, key },
  ]);
  expect(parseKey(await anvil.call(gateway, keyCall))).toEqual({ keyId: 3, key: bytes32(key) });
  expect(await send(world, change.data)).toBeUndefined();
  expect(await send(world, old.data)).toBeUndefined();

  expect(stateContract(world, 3)).toBeUndefined();
  endBlock(world);
  const again = signed(world, planKinds.evmBatch);
  expect(again.plan).toMatchObject({ nonce: 1, keyId: 3 });
  const [executed] = must(await send(world, again.data), "events");
  // No token stands at the address here: the item is a claim.
  const ran = { nonce: 1, digest: again.plan.txid, failedBitmap: 1n };
  expect(executed).toMatchObject({ kind: "executed", ...ran });
  expect(await send(world, again.data)).toBeUndefined();
  expect(attest(world, [executedEvent(world, 1, 1n, 3)], { chain })).toBeUndefined();
  expect(withdrawalOf(world, id).status).toBe(withdrawalStatus.settled);
});
