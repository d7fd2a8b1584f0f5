"""Event time: watermark, panes and the sliding windows made of them."""
