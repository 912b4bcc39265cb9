"""Programs whose name alone gives a command its kind."""

from agent.prp.model import CheckKind

PROGRAMS: tuple[tuple[CheckKind, frozenset[str]], ...] = (
    (
        CheckKind.DESTRUCTIVE,
        frozenset(
            "rm rmdir shred unlink truncate fdisk dd sudo su doas shutdown reboot halt poweroff "
            "kill pkill killall crontab systemctl service launchctl chown iptables nft ufw sysctl "
            "useradd userdel usermod groupdel passwd visudo ssh scp sftp umount swapoff "
            "parted sgdisk wipefs cryptsetup losetup diskutil lvremove vgremove pvremove virsh zfs "
            "mkswap blkdiscard pkexec runuser rmmod insmod chattr setfacl trash trash-put srm wipe "
            "scrub mke2fs mkntfs newfs packer dokku sendmail mail kill-port zpool dropdb dropuser pg_restore ansible ansible-playbook semantic-release goreleaser bfg "
            "fastlane remove-item clear-content clear-item del erase rd diskpart mysqladmin lftp ftp "
            "wg-quick modprobe mdadm vgreduce fsck badblocks hdparm nvme tmutil csrutil spctl nvram tccutil pg_dropcluster "
            "gh-pages eas taskkill stop-process".split()
        ),
    ),
    (
        CheckKind.INTERACTIVE,
        frozenset(
            "vi vim nano emacs less more top htop man snakeviz open xdg-open code cursor claude "
            "gemini codex aider lazygit btop ffplay mpv vlc start".split()
        ),
    ),
    (
        CheckKind.NETWORK,
        frozenset(
            "docker docker-compose podman kubectl helm terraform aws az gcloud gh vercel "
            "supabase fly flyctl heroku railway stripe".split()
        ),
    ),
    (
        CheckKind.MUTATING,
        frozenset(
            "rm mv cp touch mkdir ln tee patch chmod install rsync unzip createdb gunzip "
            "zip 7z".split()
        ),
    ),
)
