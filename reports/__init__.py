"""What people see: ladders, tables, pictures, exports and the command line."""
