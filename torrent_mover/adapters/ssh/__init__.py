"""SSH: transports, the pipelined SFTP protocol, host keys, passwords."""
