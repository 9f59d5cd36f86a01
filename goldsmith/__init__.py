"""goldsmith forges golden VMware templates."""
