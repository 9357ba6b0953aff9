module archipelago/tools/peers/pause

go 1.26.0
