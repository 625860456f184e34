"""What the hotline knows: entries with their source and validity, searched by words (GB/T 44191, domain.md 1.9)."""
