// What is sent to a portal, and the status and code that answer it (SEAMS: portal HTTP).
import { deepArray, deepObject, randomBytes } from "./http.ts";

export type Wrong = {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly refused: string;
};

/** Well-formed wishes that the wrong ones differ from in one field. */
export type Right = {
  readonly deposit: Readonly<Record<string, unknown>>;
  readonly quote: Readonly<Record<string, unknown>>;
};

const posts = ["/v1/deposits", "/v1/withdrawals/quote"] as const;

export function wrongBodies(): Wrong[] {
  const bodies: [string | Uint8Array<ArrayBuffer>, string][] = [
    ...Array.from({ length: 10 }, (_, i): [Uint8Array<ArrayBuffer>, string] => [
      randomBytes(i, 1 + 91 * i),
      "400 bad-json",
    ]),
    ["", "400 bad-request"],
    ["[]", "400 bad-request"],
    ["null", "400 bad-request"],
    ["7", "400 bad-request"],
    ['"x"', "400 bad-request"],
    [deepArray(8_000), "400 bad-request"],
    ["[".repeat(16_000), "400 bad-json"],
    [`{"a":"${"x".repeat(20_000)}"}`, "413 too-large"],
    [new Uint8Array(16 * 1024 * 1024), "413 too-large"],
  ];
  return posts.flatMap((path) =>
    bodies.map(([body, refused]): Wrong => ({ method: "POST", path, body, refused })),
  );
}

export const wrongPaths: readonly Wrong[] = [
  { method: "GET", path: "/", refused: "404 no-such-path" },
  { method: "GET", path: "/v1/nothing", refused: "404 no-such-path" },
  { method: "POST", path: "/v1/constructor", refused: "404 no-such-path" },
  { method: "GET", path: "/v1/deposits", refused: "405 no-such-method" },
  { method: "POST", path: "/v1/health", refused: "405 no-such-method" },
  { method: "DELETE", path: "/v1/reserves", refused: "405 no-such-method" },
  { method: "GET", path: `/v1/${"x".repeat(2_000)}`, refused: "414 too-long" },
  { method: "GET", path: "/v1/transfers/", refused: "404 no-such-path" },
  { method: "GET", path: "/v1/transfers/xyz", refused: "400 bad-id" },
  { method: "GET", path: "/v1/transfers/%00%ff%2e%2e", refused: "400 bad-id" },
  { method: "GET", path: `/v1/transfers/${"ab".repeat(33)}`, refused: "400 bad-id" },
  { method: "GET", path: `/v1/transfers/${"ab".repeat(32)}`, refused: "404 not-found" },
  { method: "GET", path: `/v1/transfers/${"ab".repeat(32)}:999999999`, refused: "404 not-found" },
  { method: "GET", path: `/v1/transfers/0x${"ab".repeat(32)}:0`, refused: "404 not-found" },
];

/** Addresses of mainnet, of testnet, with a damaged checksum, and no addresses. */
const foreignAddresses: readonly (readonly [address: string, code: string])[] = [
  ["bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "wrong-network"],
  ["tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", "wrong-network"],
  ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "wrong-network"],
  ["bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kxxxxxx", "bad-address"],
  ["bcrt1", "bad-address"],
  ["", "bad-address"],
  ["\u0000\u0000", "bad-address"],
  ["x".repeat(199), "bad-address"],
];

/** Of regtest, as in this network. */
const bitcoinAddress = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";

const evmAddresses: readonly string[] = [
  "0x",
  "0x1234",
  // The last letter's case is wrong (EIP-55).
  "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD".replace(/d$/, "D"),
  "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed!",
  bitcoinAddress,
];

export function wrongDeposits({ deposit }: Right): Wrong[] {
  const wrong = (change: Record<string, unknown>, code: string, status = 400): Wrong => ({
    method: "POST",
    path: "/v1/deposits",
    body: JSON.stringify({ ...deposit, ...change }),
    refused: `${status} ${code}`,
  });
  const to = (chain: unknown, address: unknown): Record<string, unknown> => ({
    destination: { chain, address },
  });
  const { address } = deposit.destination as { address: string };
  return [
    ...[...evmAddresses, 7, null, {}, "x".repeat(5_000)].map((one) =>
      wrong(to("causeway", one), "bad-destination"),
    ),
    ...evmAddresses.map((one) => wrong(to("ethereum", one), "bad-destination")),
    ...foreignAddresses.map(([one, code]) => wrong(to("bitcoin", one), code)),
    wrong(to("bitcoin", bitcoinAddress), "bad-destination"),
    wrong(to("dogecoin", address), "unknown-chain"),
    wrong(to("00".repeat(32), address), "unknown-chain"),
    wrong(to(undefined, address), "unknown-chain"),
    wrong({ destination: undefined }, "bad-request"),
    wrong({ destination: "causeway" }, "bad-request"),
    wrong({ chain: "ethereum" }, "unknown-chain"),
    wrong({ chain: 7 }, "unknown-chain"),
    ...[undefined, null, 20_000, "-1", "1.5", "1e9", "", "9".repeat(40)].map((maxFee) =>
      wrong({ maxFee }, "bad-amount"),
    ),
    wrong({ maxFee: "1" }, "fee-above-maximum"),
    ...[undefined, 7, "00", "ff".repeat(32), "00".repeat(32), "zz".repeat(32)].map((refund) =>
      wrong({ refund }, "bad-refund-key"),
    ),
  ];
}

export function wrongQuotes({ quote }: Right): Wrong[] {
  const wrong = (change: Record<string, unknown>, code: string): Wrong => ({
    method: "POST",
    path: "/v1/withdrawals/quote",
    body: JSON.stringify({ ...quote, ...change }),
    refused: `400 ${code}`,
  });
  const to = (chain: unknown, address: unknown): Record<string, unknown> => ({
    destination: { chain, address },
  });
  return [
    ...[undefined, 7, "DOGE", "constructor", deepObject(10)].map((asset) =>
      wrong({ asset }, "unknown-asset"),
    ),
    ...[undefined, 5, "-5", "1.5", "9".repeat(40)].map((amount) => wrong({ amount }, "bad-amount")),
    ...foreignAddresses.map(([one, code]) => wrong(to("bitcoin", one), code)),
    ...evmAddresses.map((one) => wrong(to("ethereum", one), "bad-destination")),
    wrong(to("dogecoin", "D7Y55Lkqw4k2qv1n8oY2qVkz6Q5v1b5v1b"), "unknown-chain"),
  ];
}
