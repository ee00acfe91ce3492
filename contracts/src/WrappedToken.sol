// SPDX-License-Identifier: MIT
// A foreign coin on Ethereum: ERC-20 with permit, minted and burnt by Gateway alone (ETH-3).
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {IWrappedToken} from "./IGateway.sol";

contract WrappedToken is ERC20, ERC20Permit, IWrappedToken {
    /// @notice Holders have this long to leave before another contract may mint.
    uint256 public constant NOTICE = 7 days;

    uint8 private immutable DECIMALS;

    /// @notice The only address that mints and burns.
    address public minter;
    /// @notice Who takes over at `nextMinterAt` (seconds); zero when nobody.
    address public nextMinter;
    uint64 public nextMinterAt;

    event MinterAnnounced(address indexed next, uint256 dueAt);
    event MinterMoved(address indexed minter);

    error NotMinter();
    error NoNotice();

    modifier onlyMinter() {
        if (msg.sender != minter) revert NotMinter();
        _;
    }

    /// @param name_ below 32 bytes, so that EIP-712's name stays in the code.
    constructor(string memory name_, string memory symbol_, uint8 decimals_, address minter_)
        ERC20(name_, symbol_)
        ERC20Permit(name_)
    {
        DECIMALS = decimals_;
        minter = minter_;
        emit MinterMoved(minter_);
    }

    function decimals() public view override returns (uint8) {
        return DECIMALS;
    }

    function mint(address to, uint256 amount) external onlyMinter {
        _mint(to, amount);
    }

    function burn(address from, uint256 amount) external onlyMinter {
        _burn(from, amount);
    }

    /// @notice Starts the notice again; zero calls it off.
    function announceMinter(address newMinter) external onlyMinter {
        nextMinter = newMinter;
        nextMinterAt = uint64(block.timestamp + NOTICE);
        emit MinterAnnounced(newMinter, nextMinterAt);
    }

    /// @notice Hands over once the notice is over; anyone may call.
    function moveMinter() external {
        address next = nextMinter;
        if (next == address(0) || block.timestamp < nextMinterAt) revert NoNotice();
        minter = next;
        delete nextMinter;
        delete nextMinterAt;
        emit MinterMoved(next);
    }
}
