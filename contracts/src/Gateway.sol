// SPDX-License-Identifier: MIT
// The house's only door on Ethereum (ETH-1 to ETH-4): takes deposits, runs what the ring signed,
// and defends itself by caps, pauses and a slow recovery. It has no owner and cannot be changed.
//
// What one batch touches is packed so that a single mint stays below 80 k gas: one slot for key,
// heart-beat, pause and the newest nonces, one slot for a token with its cap.
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Authority} from "./Authority.sol";
import {GuardianQuorum} from "./GuardianQuorum.sol";
import {
    Batch,
    Destination,
    IGateway,
    IWrappedToken,
    Quorum,
    Signature,
    TokenSetting
} from "./IGateway.sol";
import {Payout} from "./Payout.sol";
import {RingWord, TokenWord, tokenWord} from "./Words.sol";

contract Gateway is Authority {
    using SafeERC20 for IERC20;

    // SHA-256 of the tags "causeway/eth-<what>/v1" (FMT-1).
    bytes32 private constant BATCH =
        0x8c006709c97467a3eb0f4564a3f534680f914bf6fd029722a61df1ed51a72f0b;
    bytes32 private constant SET_TOKEN =
        0xb0bea58dc75d922e334f4848aa29927220de9aed409e78f181c5bca937d8a818;
    bytes32 private constant MOVE_MINTER =
        0x3a254e407544b3cccfe77296281f605cda20072b700320fb41e0e5016be79ef0;

    uint8 private constant NONE = 0;
    uint8 private constant FOREIGN = 1;
    uint8 private constant WRAPPED = 2;

    /// @dev FMT-8.
    uint256 private constant PAYLOAD_MAX = 128;
    /// @dev ETH-2.
    uint256 private constant ITEMS_MAX = 50;
    uint256 private constant ITEM_SIZE = 57;
    /// @dev GOV-1: what loosens waits.
    uint256 private constant NOTICE = 7 days;

    struct Announced {
        uint8 status;
        uint104 capacity;
        uint40 dueAt;
    }

    mapping(address token => TokenWord) private tokens;
    mapping(address token => Announced) private announced;
    mapping(uint64 nonce => bytes32) private claims;

    /// @param guardians their addresses in the genesis' order, distinct; `guardianThreshold` of
    /// them act.
    /// @param keyId the first activated key and `keyX` its x.
    /// @param settings ETH and tokens; wrapped ones may be addresses that hold no code yet.
    constructor(
        bytes32 network,
        address[] memory guardians,
        uint256 guardianThreshold,
        uint32 keyId,
        bytes32 keyX,
        TokenSetting[] memory settings
    ) GuardianQuorum(guardians, guardianThreshold) Authority(network, keyId, keyX) {
        for (uint256 i = 0; i < settings.length; ++i) {
            TokenSetting memory setting = settings[i];
            _checkSetting(setting.token, setting.status);
            _installToken(setting.token, setting.status, setting.capacity);
        }
    }

    // ------------------------------------------------------------------ in

    /// @inheritdoc IGateway
    function deposit(
        address token,
        uint256 amount,
        Destination calldata destination,
        uint256 maxFee
    ) external payable override lock {
        _checkIn(amount, destination, maxFee);
        if (tokens[token].status() != FOREIGN) revert BadToken(token);
        if (token == address(0)) {
            if (msg.value != amount) revert BadAmount();
        } else {
            if (msg.value != 0) revert BadAmount();
            // What arrives counts: some tokens take a fee on the way.
            uint256 before = IERC20(token).balanceOf(address(this));
            IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
            amount = IERC20(token).balanceOf(address(this)) - before;
            if (amount == 0 || amount > type(uint128).max) revert BadAmount();
        }
        emit Deposited(
            token, msg.sender, amount, destination.chain, destination.payload, maxFee
        );
    }

    /// @inheritdoc IGateway
    function burn(
        address token,
        uint256 amount,
        Destination calldata destination,
        uint256 maxFee
    ) external override lock {
        _checkIn(amount, destination, maxFee);
        if (tokens[token].status() != WRAPPED) revert BadToken(token);
        IWrappedToken(token).burn(msg.sender, amount);
        emit Burned(token, msg.sender, amount, destination.chain, destination.payload, maxFee);
    }

    function _checkIn(uint256 amount, Destination calldata destination, uint256 maxFee)
        private
        view
    {
        _requireOpenIn();
        if (amount == 0 || amount > type(uint128).max || maxFee > type(uint128).max) {
            revert BadAmount();
        }
        uint256 size = destination.payload.length;
        if (size == 0 || size > PAYLOAD_MAX) revert BadDestination();
    }

    // ------------------------------------------------------------------ out

    /// @inheritdoc IGateway
    function execute(Batch calldata batch, Signature calldata signature) external override lock {
        bytes calldata items = batch.items;
        // A stipend of 0 would mean all gas, see _pay.
        if (
            items.length > ITEMS_MAX * ITEM_SIZE || items.length % ITEM_SIZE != 0
                || batch.stipend == 0
        ) revert BadBatch();
        RingWord current = ring;
        if (current.mayBePaused()) _requireOpenOut();
        bytes32 digest = _batchDigest(batch, items);
        _authorise(current, batch.nonce, digest, signature);
        emit Executed(batch.nonce, digest, _runItems(batch, items), msg.sender);
    }

    /// @dev _digest(BATCH, abi.encode(chainId, this, keyId, nonce, stipend, overhead, items)),
    /// copied once.
    function _batchDigest(Batch calldata batch, bytes calldata items)
        private
        view
        returns (bytes32 digest)
    {
        bytes32 network = networkId;
        uint256 keyId = batch.keyId;
        uint256 nonce = batch.nonce;
        uint256 stipend = batch.stipend;
        uint256 overhead = batch.overhead;
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, BATCH)
            mstore(add(data, 0x20), BATCH)
            mstore(add(data, 0x40), network)
            mstore(add(data, 0x60), chainid())
            mstore(add(data, 0x80), address())
            mstore(add(data, 0xa0), keyId)
            mstore(add(data, 0xc0), nonce)
            mstore(add(data, 0xe0), stipend)
            mstore(add(data, 0x100), overhead)
            mstore(add(data, 0x120), 0xe0)
            mstore(add(data, 0x140), items.length)
            let tail := add(data, 0x160)
            let size := and(add(items.length, 31), not(31))
            // The padding, before the last word is written over it.
            mstore(add(tail, items.length), 0)
            calldatacopy(tail, items.offset, items.length)
            if iszero(staticcall(gas(), 2, data, add(0x160, size), 0, 0x20)) { revert(0, 0) }
            digest := mload(0)
        }
    }

    function _runItems(Batch calldata batch, bytes calldata items)
        private
        returns (uint256 failedBitmap)
    {
        uint256 stipend = batch.stipend;
        uint256 overhead = batch.overhead;
        unchecked {
            uint256 count = items.length / ITEM_SIZE;
            for (uint256 i = 0; i < count; ++i) {
                if (!_pay(items, i, stipend, overhead)) failedBitmap |= 1 << i;
            }
        }
        if (failedBitmap != 0) claims[batch.nonce] = _claimsHash(items, failedBitmap);
    }

    /// @inheritdoc IGateway
    function claim(uint64 nonce, uint256 open, uint256 index, bytes calldata items)
        external
        override
        lock
    {
        _requireOpenOut();
        if (claims[nonce] != _claimsHash(items, open) || open >> index & 1 == 0) {
            revert BadClaim();
        }
        uint256 rest = open ^ 1 << index;
        claims[nonce] = rest == 0 ? bytes32(0) : _claimsHash(items, rest);
        // Whoever claims brings the gas: a call that needs more than a stipend gets it.
        if (!_pay(items, index, 0, 0)) revert NotPaid();
        emit Claimed(nonce, index, msg.sender);
    }

    /// @dev One word for all claims of a batch: the items as signed and which of them are open.
    function _claimsHash(bytes calldata items, uint256 open) private pure returns (bytes32) {
        return keccak256(abi.encode(open, items));
    }

    /// @dev Pays item `index`, which the callers know to lie in `items`; true if it was paid. A
    /// stipend of 0 stands for all gas.
    function _pay(bytes calldata items, uint256 index, uint256 stipend, uint256 overhead)
        private
        returns (bool)
    {
        uint256 kind;
        address token;
        address to;
        uint256 amount;
        assembly ("memory-safe") {
            let place := add(items.offset, mul(index, ITEM_SIZE))
            let word := calldataload(place)
            kind := shr(248, word)
            token := shr(96, shl(8, word))
            to := shr(96, calldataload(add(place, 21)))
            amount := shr(128, calldataload(add(place, 41)))
        }
        TokenWord entry = tokens[token];
        uint256 used;
        unchecked {
            // Both are below 2^129.
            used = entry.usedAt(block.timestamp) + amount;
        }
        if (used > entry.capacity()) return false;
        bool isWrapped = entry.status() == WRAPPED;
        if (!Payout.run(kind, isWrapped, token, to, amount, stipend, overhead)) return false;
        tokens[token] = entry.withUsed(used, block.timestamp);
        return true;
    }

    // ------------------------------------------------------------------ the ring

    /// @inheritdoc IGateway
    function setToken(
        uint32 keyId,
        uint64 nonce,
        TokenSetting calldata setting,
        Signature calldata signature
    ) external override lock {
        bytes memory message =
            abi.encode(block.chainid, address(this), keyId, nonce, setting);
        _runMessage(SET_TOKEN, message, nonce, signature);
        address token = setting.token;
        _checkSetting(token, setting.status);
        TokenWord entry = tokens[token];
        bool loosens = setting.capacity > entry.capacity()
            || (setting.status != entry.status() && setting.status != NONE);
        if (!loosens) return _installToken(token, setting.status, setting.capacity);
        uint256 dueAt = block.timestamp + NOTICE;
        announced[token] = Announced(setting.status, setting.capacity, uint40(dueAt));
        emit TokenAnnounced(token, setting.status, setting.capacity, dueAt);
    }

    /// @inheritdoc IGateway
    function applyToken(address token) external override lock {
        Announced memory next = announced[token];
        if (next.dueAt == 0) revert BadToken(token);
        if (block.timestamp < next.dueAt) revert TooEarly(next.dueAt);
        _installToken(token, next.status, next.capacity);
    }

    /// @inheritdoc IGateway
    function moveMinter(
        uint32 keyId,
        uint64 nonce,
        address token,
        address newMinter,
        Signature calldata signature
    ) external override lock {
        bytes memory message =
            abi.encode(block.chainid, address(this), keyId, nonce, token, newMinter);
        _runMessage(MOVE_MINTER, message, nonce, signature);
        if (tokens[token].status() != WRAPPED) revert BadToken(token);
        IWrappedToken(token).announceMinter(newMinter);
    }

    function _checkSetting(address token, uint8 status) private pure {
        if (status > WRAPPED || (token == address(0) && status == WRAPPED)) revert BadToken(token);
    }

    function _installToken(address token, uint8 status, uint104 capacity) private {
        // What drained so far drained at the old capacity.
        uint256 used = tokens[token].usedAt(block.timestamp);
        tokens[token] = tokenWord(status, capacity, used, block.timestamp);
        delete announced[token];
        emit TokenSet(token, status, capacity);
    }

    // ------------------------------------------------------------------ guardians

    /// @inheritdoc IGateway
    function limit(address token, uint104 capacity, Quorum calldata quorum)
        external
        override
        lock
    {
        bytes32 structHash = keccak256(abi.encode(LIMIT_TYPE, token, capacity, _nextNonce()));
        _requireQuorum(structHash, quorum);
        TokenWord entry = tokens[token];
        if (capacity > entry.capacity()) revert BadToken(token);
        _installToken(token, entry.status(), capacity);
    }

    // ------------------------------------------------------------------ readers

    /// @inheritdoc IGateway
    function tokenOf(address token) external view override returns (uint8, uint104, uint256) {
        TokenWord entry = tokens[token];
        uint256 used = entry.usedAt(block.timestamp);
        uint104 capacity = entry.capacity();
        return (entry.status(), capacity, used < capacity ? capacity - used : 0);
    }

    /// @inheritdoc IGateway
    function claimsOf(uint64 nonce) external view override returns (bytes32) {
        return claims[nonce];
    }

}
