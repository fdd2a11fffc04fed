"""What calls may cost and did cost: reservations, prices, overrides at run time, sums of usage."""
