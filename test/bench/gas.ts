// Gas of the contract's busiest calls, on Anvil with the committed code and real BIP340 signatures (issue 3):
// recipients without a balance, the bitmap word in use, caps and heart-beat on. An ordinary key signs: the
// contract cannot tell it from a ring's.
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { NetworkId } from "@causeway/primitives";
import { concat, sha256, utf8 } from "@causeway/primitives";
import { publicPoint, signSchnorr, xOnly } from "@causeway/primitives/secp256k1";
import { addressWord, selector, uintWord } from "../../chain-core/src/interchain/ethereum/abi.ts";
import type { Batch, Item } from "../../chain-core/src/interchain/ethereum/batch.ts";
import * as ethereum from "../../chain-core/src/interchain/ethereum/batch.ts";
import * as contract from "../../chain-core/src/interchain/ethereum/contract.ts";
import {
  approveCall,
  burnCall,
  depositCall,
} from "../../chain-core/src/interchain/ethereum/transfer.ts";
import { readArtifact } from "../../contracts/build.ts";
import type { Anvil, Receipt } from "../../contracts/test/anvil.ts";
import { startAnvil, unhex } from "../../contracts/test/anvil.ts";

/** Gas of whole transactions, but `mintInBatchOf20`: a twentieth of the batch's, rounded up. */
export type GasReport = {
  readonly deposit: number;
  readonly depositErc20: number;
  readonly burn: number;
  readonly mintSingle: number;
  readonly mintInBatchOf20: number;
  readonly heartbeat: number;
  /** 50 recipients that burn their stipend and become claims; at most `worstBatchBound` (ETH-2). */
  readonly worstBatch: number;
  readonly worstBatchBound: number;
};

const capacity = 10n ** 15n;
/** ETH-2's defaults. */
const stipend = 50_000;
const overhead = 20_000;

type Bench = {
  readonly anvil: Anvil;
  readonly domain: ethereum.Domain;
  readonly secret: Uint8Array;
  readonly wrapped: Uint8Array;
  readonly foreign: Uint8Array;
  nonce: number;
};

/** Measures; takes about a second. */
export async function run(): Promise<GasReport> {
  await using anvil = await startAnvil();
  const bench = await deploy(anvil);
  const user = unhex(anvil.accounts[1] as string);
  // A living contract: the token has a supply, the bucket and the bitmap word are in use.
  await execute(bench, [mint(bench, user, 1_000_000n)]);
  const mintSingle = await execute(bench, [mint(bench, randomBytes(20), 123_456_789n)]);
  const many = Array.from({ length: 20 }, () => mint(bench, randomBytes(20), 123_456_789n));
  const batch = await execute(bench, many);
  const slot = { keyId: 1, nonce: bench.nonce++ };
  const seal = sealOf(bench, ethereum.heartbeatDigest(bench.domain, slot));
  const data = ethereum.heartbeatCall(slot, seal);
  const heartbeat = await send(bench, 0, data);
  return {
    deposit: await depositEth(bench),
    depositErc20: await depositToken(bench),
    burn: await burn(bench),
    mintSingle,
    mintInBatchOf20: Math.ceil(batch / 20),
    heartbeat,
    worstBatch: await worstBatch(bench),
    worstBatchBound: ethereum.batchGas(stipend, ethereum.itemsMax),
  };
}

/** Init code of a contract whose code is one INVALID. */
const burnerInit = Uint8Array.from([0x60, 0xfe, 0x60, 0, 0x53, 0x60, 1, 0x60, 0, 0xf3]);

async function worstBatch(bench: Bench): Promise<number> {
  const { anvil, domain } = bench;
  const from = anvil.accounts[0] as string;
  const items: Item[] = [];
  for (let i = 0; i < ethereum.itemsMax; i++) {
    const { contractAddress } = await anvil.send({ from, data: burnerInit });
    const kind = ethereum.itemKinds.releaseEth;
    const token = new Uint8Array(20);
    items.push({ kind, token, to: unhex(contractAddress as string), amount: 123_456_789n });
  }
  // The first nonce of a window: the bitmap of the one before is written too.
  bench.nonce = 48 * 1000;
  const batch: Batch = { keyId: 1, nonce: bench.nonce, stipend, overhead, items };
  const seal = sealOf(bench, ethereum.batchDigest(domain, batch));
  const data = ethereum.executeCall(batch, seal);
  const receipt = await anvil.send({ from, to: domain.contract, data });
  const bitmap = BigInt(`0x${receipt.logs.at(-1)?.data.slice(66)}`);
  if (bitmap !== (1n << 50n) - 1n) throw new Error("not every recipient failed");
  return Number(receipt.gasUsed);
}

async function deploy(anvil: Anvil): Promise<Bench> {
  const from = anvil.accounts[0] as string;
  const deployer = unhex(from);
  const [address, wrapped, foreign] = [0, 1, 2].map((nonce) =>
    contract.createAddress(deployer, nonce),
  ) as [Uint8Array, Uint8Array, Uint8Array];
  const network = sha256(utf8("gas bench")) as unknown as NetworkId;
  const secret = new Uint8Array(randomBytes(32));
  const setting = (token: Uint8Array, status: number): ethereum.TokenSetting => ({
    token,
    status,
    capacity,
  });
  const { foreign: held, wrapped: minted } = ethereum.tokenStatus;
  const gateway = contract.gatewayInitCode(await readArtifact("Gateway"), {
    network,
    guardians: anvil.accounts.slice(5, 10).map(unhex),
    guardianThreshold: 3,
    first: { keyId: 1, key: xOnly(publicPoint(secret)) },
    tokens: [setting(new Uint8Array(20), held), setting(wrapped, minted), setting(foreign, held)],
  });
  const token = await readArtifact("WrappedToken");
  const bbtc = { name: "Causeway Bitcoin", symbol: "BBTC", decimals: 8 };
  await anvil.send({ from, data: gateway });
  await anvil.send({ from, data: contract.tokenInitCode(token, { ...bbtc, minter: address }) });
  // Any ERC-20 serves as the foreign one: this one is minted by the deployer.
  await anvil.send({ from, data: contract.tokenInitCode(token, { ...bbtc, minter: deployer }) });
  const domain = { network, chainId: anvil.chainId, contract: address };
  return { anvil, domain, secret, wrapped, foreign, nonce: 1 };
}

function mint(bench: Bench, to: Uint8Array, amount: bigint): Item {
  return { kind: ethereum.itemKinds.mint, token: bench.wrapped, to, amount };
}

function sealOf(bench: Bench, digest: Uint8Array): ethereum.RingSeal {
  const signature = signSchnorr(bench.secret, digest, randomBytes(32));
  return { key: xOnly(publicPoint(bench.secret)), signature };
}

async function execute(bench: Bench, items: Item[]): Promise<number> {
  const batch: Batch = { keyId: 1, nonce: bench.nonce++, stipend, overhead, items };
  const seal = sealOf(bench, ethereum.batchDigest(bench.domain, batch));
  return send(bench, 0, ethereum.executeCall(batch, seal));
}

/** Gas used; throws if it reverted or an item failed. */
async function send(
  { anvil, domain }: Bench,
  account: number,
  data: Uint8Array,
  value: bigint = 0n,
): Promise<number> {
  const from = anvil.accounts[account] as string;
  const receipt: Receipt = await anvil.send({ from, to: domain.contract, data, value });
  if (receipt.status !== "0x1") throw new Error("the transaction reverted");
  const executed = receipt.logs.at(-1);
  const isFailed =
    executed?.topics.length === 3 && BigInt(`0x${executed.data.slice(66, 130)}`) > 0n;
  if (isFailed && executed.data.length === 130) throw new Error("an item failed");
  return Number(receipt.gasUsed);
}

/** To a ledger lock: 32 bytes. */
function destination(bench: Bench): { chain: Uint8Array; payload: Uint8Array } {
  return { chain: bench.domain.network, payload: randomBytes(32) };
}

function depositEth(bench: Bench): Promise<number> {
  const amount = 10n ** 17n;
  const token = new Uint8Array(20);
  const data = depositCall({ token, amount, destination: destination(bench), maxFee: 1n });
  return send(bench, 1, data, amount);
}

async function depositToken(bench: Bench): Promise<number> {
  const { anvil, foreign, domain } = bench;
  const [from, user] = anvil.accounts as [string, string];
  const words = concat(addressWord(unhex(user)), uintWord(1000));
  await anvil.send({ from, to: foreign, data: concat(selector("mint(address,uint256)"), words) });
  const approval = approveCall(domain.contract, 1000n);
  await anvil.send({ from: user, to: foreign, data: approval });
  const data = depositCall({
    token: foreign,
    amount: 500n,
    destination: destination(bench),
    maxFee: 1n,
  });
  return send(bench, 1, data);
}

function burn(bench: Bench): Promise<number> {
  const data = burnCall({
    token: bench.wrapped,
    amount: 500_000n,
    destination: destination(bench),
    maxFee: 1n,
  });
  return send(bench, 1, data);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(`${JSON.stringify(await run())}\n`);
}
