module archipelago/tools/peers/wan-delay

go 1.26.0
