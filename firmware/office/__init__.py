"""The office's pages: today one page that tells how the appliance is, and shows nothing of any caller."""
