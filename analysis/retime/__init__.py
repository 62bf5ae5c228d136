"""What recorded runs would take over another link or on another device, without training again."""
