"""What is still due and how it is reduced without a gateway: offline payments, credit, write-offs."""
