"""Operations sub-commands of `completions`, found by entry point; one file each."""
