// SPDX-License-Identifier: MIT
// The seam between Ethereum and the ledger: what Gateway takes, gives and tells (ETH-1 to ETH-4).
// chain-core/src/interchain/ethereum is the same seam in TypeScript; a change here is a protocol
// change.
pragma solidity 0.8.37;

/// @notice Where value goes on the other side (FMT-8).
struct Destination {
    /// An EVM chain id big-endian, or the hash of Bitcoin's block 0, or the ledger's network id.
    bytes32 chain;
    /// A ledger lock, a 20-byte address or a scriptPubKey: 1 to 128 bytes.
    bytes payload;
}

/// @notice What one ring signature authorises to leave (ETH-2).
struct Batch {
    uint32 keyId;
    uint64 nonce;
    /// Gas that every item's call is given, above 0.
    uint32 stipend;
    /// Gas that must be left for the call's own cost besides the stipend (20,000; never below
    /// 16,000).
    uint32 overhead;
    /// At most 50 items of 57 bytes each: kind (1), token (20), recipient (20), amount (16,
    /// big-endian).
    bytes items;
}

/// @notice A BIP340 signature with what the contract cannot compute cheaply.
struct Signature {
    /// x of the ring's key; the contract holds a hash of it.
    bytes32 px;
    bytes32 rx;
    /// y of R, a hint: the signature fails unless it is the even root.
    bytes32 ry;
    bytes32 s;
}

/// @notice A token at deployment.
struct TokenSetting {
    /// Zero for ETH.
    address token;
    /// 1 foreign (held here), 2 wrapped (minted and burnt here).
    uint8 status;
    /// Most that leaves in a burst, and refills in a day, in the token's unit; below 2^104.
    uint104 capacity;
}

/// @notice The guardians with their approvals of one action (GOV-2).
struct Quorum {
    /// As at deployment, in the same order.
    address[] guardians;
    uint256 threshold;
    /// One for each guardian: 65 bytes (r, s, v), or empty if it did not sign or approved by call.
    bytes[] signatures;
}

interface IGateway {
    /// @notice Value came in. `amount` is what arrived, not what was asked for.
    event Deposited(
        address indexed token,
        address indexed from,
        uint256 amount,
        bytes32 destinationChain,
        bytes payload,
        uint256 maxFee
    );
    /// @notice Wrapped value was burnt here, to be paid where it came from.
    event Burned(
        address indexed token,
        address indexed from,
        uint256 amount,
        bytes32 destinationChain,
        bytes payload,
        uint256 maxFee
    );
    /// @notice The message of the ring with this digest ran; bit i of `failedBitmap` is set if item
    /// i became a claim.
    event Executed(
        uint64 indexed nonce, bytes32 digest, uint256 failedBitmap, address indexed executor
    );
    /// @notice Only `keyId` is valid from here on; nonce 0 at deployment and after a recovery.
    event KeySet(uint64 indexed nonce, uint32 keyId, bytes32 px);
    /// @notice Item `index` of batch `nonce`, which had become a claim, was paid.
    event Claimed(uint64 indexed nonce, uint256 index, address executor);
    /// @notice Status and capacity of a token are now these.
    event TokenSet(address indexed token, uint8 status, uint104 capacity);
    /// @notice They will be these once `applyToken` is called at `dueAt` (seconds) or later.
    event TokenAnnounced(address indexed token, uint8 status, uint104 capacity, uint256 dueAt);
    /// @notice Directions are closed until these times (seconds).
    event PauseSet(uint40 inUntil, uint40 outUntil);
    /// @notice Guardians want this key; it is installed at `dueAt` unless the ring signs anything
    /// before.
    event RecoveryProposed(uint32 keyId, bytes32 px, uint256 dueAt);

    error Locked();
    error Paused(uint256 until);
    error BadAmount();
    error BadDestination();
    error BadToken(address token);
    error BadBatch();
    error BadNonce(uint64 nonce);
    error BadKey();
    error BadSignature();
    error BadQuorum();
    error BadClaim();
    error NotPaid();
    error NotEnoughGas();
    error TooEarly(uint256 dueAt);

    // For users.

    /// @notice Locks ETH (`token` zero, `amount` = value) or an allowed ERC-20 here.
    /// @param amount in the token's unit, 1 to 2^128 - 1, also of what arrives.
    /// @param maxFee most that the transfer may cost, in the token's unit, at most 2^128 - 1.
    function deposit(
        address token,
        uint256 amount,
        Destination calldata destination,
        uint256 maxFee
    ) external payable;
    /// @notice Burns the caller's wrapped tokens; needs no allowance.
    function burn(
        address token,
        uint256 amount,
        Destination calldata destination,
        uint256 maxFee
    ) external;

    // For everyone who carries a message of the ring. All share one nonce sequence (ETH-1).

    /// @notice Runs a batch. Reverts for a bad signature, a used nonce, a pause or too little gas,
    /// never for an item.
    function execute(Batch calldata batch, Signature calldata signature) external;
    /// @notice Pays item `index` of a batch that ran; reverts if it cannot be paid now.
    /// @param open the batch's failedBitmap without what was claimed since.
    /// @param items the batch's.
    function claim(uint64 nonce, uint256 open, uint256 index, bytes calldata items) external;
    /// @notice Hands over to key `newKeyId` (above the present one).
    function setKey(
        uint32 keyId,
        uint64 nonce,
        uint32 newKeyId,
        bytes32 newPx,
        Signature calldata signature
    ) external;
    /// @notice Shows that the ring lives.
    function heartbeat(uint32 keyId, uint64 nonce, Signature calldata signature) external;
    /// @notice Tightens at once; loosens or adds after 7 days, by `applyToken`.
    function setToken(
        uint32 keyId,
        uint64 nonce,
        TokenSetting calldata setting,
        Signature calldata signature
    ) external;
    function applyToken(address token) external;
    /// @notice Closes or opens directions, and lets guardians pause again.
    function setPause(
        uint32 keyId,
        uint64 nonce,
        uint40 inUntil,
        uint40 outUntil,
        Signature calldata signature
    ) external;
    /// @notice Announces the next minter of a wrapped token, which takes over after the token's 7
    /// days.
    function moveMinter(
        uint32 keyId,
        uint64 nonce,
        address token,
        address newMinter,
        Signature calldata signature
    ) external;

    // For guardians (EIP-712, domain {name "Causeway Gateway", version "1", chainId,
    // verifyingContract, salt networkId}).

    /// @notice Approves by call what `digest` stands for; counts for guardians only.
    function approve(bytes32 digest) external;
    /// @notice Pause(uint8 directions,uint64 nonce): closes 1 in, 2 out or 3 both for 7 days; again
    /// after 14, or after setPause.
    function pause(uint8 directions, Quorum calldata quorum) external;
    /// @notice Limit(address token,uint104 capacity,uint64 nonce): lowers a capacity at once.
    function limit(address token, uint104 capacity, Quorum calldata quorum) external;
    /// @notice Recover(uint32 keyId,bytes32 px,uint64 nonce): possible 60 days after the last ring
    /// signature.
    function proposeRecovery(uint32 newKeyId, bytes32 newPx, Quorum calldata quorum) external;
    /// @notice Installs the proposed key 14 days later if the ring has signed nothing since.
    function recover() external;

    // For readers.

    function networkId() external view returns (bytes32);
    /// @notice keccak256(abi.encode(threshold, guardians)).
    function guardiansHash() external view returns (bytes32);
    function key() external view returns (uint32 keyId, bytes32 px);
    function isUsed(uint64 nonce) external view returns (bool);
    function lastSignatureAt() external view returns (uint256);
    function pausedUntil() external view returns (uint40 inUntil, uint40 outUntil);
    function guardianNonce() external view returns (uint64);
    /// @notice `available` could leave now.
    function tokenOf(address token)
        external
        view
        returns (uint8 status, uint104 capacity, uint256 available);
    /// @notice keccak256(abi.encode(open, items)) of a batch with open claims, else zero.
    function claimsOf(uint64 nonce) external view returns (bytes32);
    /// @notice The EIP-712 digest that guardians sign for the struct hash.
    function guardianDigest(bytes32 structHash) external view returns (bytes32);
}

interface IWrappedToken {
    function mint(address to, uint256 amount) external;
    function burn(address from, uint256 amount) external;
    function announceMinter(address newMinter) external;
}
