"""Everything that speaks with a vCenter through its API: pyVmomi is imported nowhere else."""
